"""Codes: cc, c and translate.

Spec: FML, transforms; FHIR ConceptMap $translate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fhirmap.data import MapValue
from fhirmap.errors import TransformFailed
from fhirmap.runtime.shown_code import shown_code
from fhirmap.runtime.transforms.text import primitive_of, shown

if TYPE_CHECKING:
    from fhirmap.runtime.context import RecordRun

_OID = "urn:oid:"
_KNOWN_OIDS = {
    "2.16.840.1.113883.6.1": "http://loinc.org",
    "2.16.840.1.113883.6.8": "http://unitsofmeasure.org",
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
}
"""Code systems that FHIR calls by another URI than their OID."""


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A concept map as generated code holds it.

    ``codes``: source code -> (source system, target system, target code, display) entries, none of them where the map
    says that the code has no target; ``unmapped``: (source system, mode, target system, code), the mode being provided,
    fixed, error or other-map, whose code is the URL of a map in ``others``.
    """

    name: str
    codes: Mapping[str, tuple[tuple[str, str, str, str], ...]]
    unmapped: tuple[tuple[str, str, str, str], ...] = ()
    others: Mapping[str, CodeTable] = field(default_factory=dict)
    longest: int = field(init=False, default=0)
    """Length of the longest source code."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "longest", max(map(len, self.codes), default=0))


_LINE = re.compile(r"[^\n]+")
"""A line of a listed text: one after the other, since all of them at once are several times as large."""


def listed_codes(text: str) -> dict[str, str]:
    """Source code -> target code, of a text with a line for each: `source<TAB>target`."""
    return dict(line[0].split("\t") for line in _LINE.finditer(text))


def listed_pairs(texts: tuple[tuple[str, str], ...]) -> frozenset[tuple[str, str]]:
    """(system, code) of texts with a line for each code, one text for each system."""
    return frozenset((system, line[0]) for system, text in texts for line in _LINE.finditer(text))


def listed_targets(systems: tuple[tuple[str, str], ...], text: str) -> dict[str, tuple[tuple[str, str, str, str], ...]]:
    """The codes of a `CodeTable`, of a text with a line for each target: source, number of the systems, code, display.

    A line that holds the source code alone: it has no target.
    """
    codes: dict[str, tuple[tuple[str, str, str, str], ...]] = {}
    for line in _LINE.finditer(text):
        source, *target = line[0].split("\t")
        held = codes.get(source, ())
        if target:
            number, code, display = target
            held = (*held, (*systems[int(number)], code, display))
        codes[source] = held
    return codes


def c(system: MapValue, code: MapValue, display: MapValue = None) -> dict[str, Any] | None:
    """A Coding; None without a code.

    Spec: FML, transforms, c.

    Example:
        >>> c("http://snomed.info/sct", "19063003")
        {'system': 'http://snomed.info/sct', 'code': '19063003'}
    """
    if code is None or code == "":
        return None
    coding = {"code": code} if system is None or system == "" else {"system": system, "code": code}
    if display is not None and display != "":
        coding["display"] = display
    return coding


def cc(first: MapValue, code: MapValue = None, display: MapValue = None) -> dict[str, Any] | None:
    """A CodeableConcept of one coding; None without a code.

    Spec: FML, transforms, cc.
    """
    coding = c(first, code, display)
    return None if coding is None else {"coding": [coding]}


def cc_text(text: MapValue) -> dict[str, Any] | None:
    """A CodeableConcept of text alone: `cc(text)`."""
    return None if text is None or text == "" else {"text": shown(primitive_of(text))}


def translate(value: MapValue, table: CodeTable, output: str = "code", run: RecordRun | None = None) -> MapValue:
    """What ``table`` says of a code, Coding or CodeableConcept, as ``output`` asks; None where it says nothing.

    ``run`` notes codes that the table does not hold.
    Raises: ``TransformFailed`` FM405 where the table makes an unknown code an error, FM406 for several targets.
    Spec: FML, transforms, translate: a bare code matches whatever its system.
    """
    if value is None:
        return None
    found: list[tuple[str, str, str]] = []
    codings = _codings(value)
    for system, code in codings:
        if table.name == "special-oid2uri":
            plain = code.removeprefix(_OID)
            found.append(("", _KNOWN_OIDS.get(plain, f"{_OID}{plain}"), ""))
        found += _mapped(table, system, code)
    if not found:
        found = _missed(table, codings, run)
    held = list(dict.fromkeys(entry for entry in found if entry[1]))
    if len(held) > 1:
        raise TransformFailed("FM406", table=table.name, count=len(held))
    return _output(held[0], output) if held else None


def _codings(value: MapValue) -> list[tuple[str, str]]:
    if not isinstance(value, dict):
        return [("", shown(value))]
    codings = value.get("coding", []) if "coding" in value or "text" in value else [value]
    return [(entry.get("system", ""), entry["code"]) for entry in codings if "code" in entry]


def _mapped(table: CodeTable, system: str, code: str) -> list[tuple[str, str, str]]:
    return [entry[1:] for entry in table.codes.get(code, ()) if not system or not entry[0] or entry[0] == system]


def _missed(table: CodeTable, codings: list[tuple[str, str]], run: RecordRun | None) -> list[tuple[str, str, str]]:
    """What the table's policy makes of codes that it does not hold; one that it says has no target stays without."""
    found: list[tuple[str, str, str]] = []
    for system, code in codings:
        if table.codes.get(code) == ():
            continue
        elsewhere = _in_others(table, system, code, set())
        if elsewhere is None:
            if run is not None:
                run.unmapped(table.name, code, table.longest)
            entry = _unmapped(table, system, code, set())
            elsewhere = [entry] if entry is not None else []
        found += elsewhere
    return found


def _policies(table: CodeTable, system: str) -> Iterator[tuple[str, str, str, str]]:
    return (entry for entry in table.unmapped if not system or not entry[0] or system == entry[0])


def _in_others(table: CodeTable, system: str, code: str, asked: set[int]) -> list[tuple[str, str, str]] | None:
    """What the maps that are asked for unknown codes say of one; None where none of them holds it.

    ``asked``: the identities of those that were asked before; each is asked once.
    """
    for _, mode, _, url in _policies(table, system):
        other = table.others.get(url) if mode == "other-map" else None
        if other is None or id(other) in asked:
            continue
        asked.add(id(other))
        found = _mapped(other, system, code)
        if found or other.codes.get(code) == ():
            return found
        further = _in_others(other, system, code, asked)
        if further is not None:
            return further
    return None


def _unmapped(table: CodeTable, system: str, code: str, asked: set[int]) -> tuple[str, str, str] | None:
    """What the policies make of a code that no map holds: those of the map itself, else of the ones it asks."""
    for source, mode, target, fixed in _policies(table, system):
        if mode == "error":
            raise _unknown(table, code)
        if mode == "provided":
            return (system or source, code, "")
        if mode == "fixed":
            return (target, fixed, "")
        other = table.others.get(fixed)
        if other is None or id(other) in asked:
            continue
        asked.add(id(other))
        found = _unmapped(other, system, code, asked)
        if found is not None:
            return found
    return None


def _unknown(table: CodeTable, code: str) -> TransformFailed:
    """The fault of a code without an entry, which names the code as far as a message may (`shown_code`)."""
    name = shown_code(code, table.longest)
    if not name:
        return TransformFailed("FM405", table=table.name)
    return TransformFailed("FM405", table=table.name, variant="code", name=name)


def _output(found: tuple[str, str, str], output: str) -> MapValue:
    system, code, display = found
    if output in ("code", "uri"):
        return code
    if output == "system":
        return system or None
    if output == "display":
        return display or None
    coding = c(system or None, code, display or None)
    return {"coding": [coding]} if output == "CodeableConcept" else coding
