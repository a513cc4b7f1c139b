"""Models of messages of HL7 v2: the record's, and one for each kind of segment that messages have several of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from fhirmap.diagnostics import NO_SPAN
from fhirmap.errors import ConfigError
from fhirmap.inspection.guess import TEXT, Guess, codes_of, guess
from fhirmap.inspection.names import UniqueNames, pascal_case
from fhirmap.inspection.sketch import ElementSketch, ModelSketch, child_element, column_element, store_clause
from fhirmap.language.nodes import OrderKey
from fhirmap.records import TreeText
from fhirmap.runtime.reading import at
from fhirmap.runtime.transforms.dates import parser
from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan, path_steps
from fhirmap.sources.address import Address
from fhirmap.sources.files.hl7_reader import Hl7Reader
from fhirmap.sources.files.source_files import FileSet
from fhirmap.texts import Text

__all__ = ["hl7_models"]

_SAMPLE = 2000
_KEYS = ("OBR.3.1", "ORC.3.1", "TXA.12.1", "PV1.19.1", "MSH.10")
"""What names a case or a document, then the stay, then the message."""
_OF_HEADER = ("MSH.7", "MSH.9.1", "MSH.9.2", "MSH.10")
"""What a map may need of a header: the others are about the transmission."""
_COUNTED = frozenset(("PID", "PV1", "OBR", "OBX", "NTE", "DG1", "PR1", "AL1", "IN1", "SPM", "NK1"))
"""Segments whose first field numbers them."""
_NAMES: Mapping[str, str] = {
    "MSH.7": "sentAt", "MSH.9.1": "messageType", "MSH.9.2": "trigger", "MSH.10": "messageId",
    "EVN.2": "recordedAt", "PID.5.1": "familyName", "PID.5.2": "givenName", "PID.7": "birthDate", "PID.8": "sex",
    "PV1.2": "patientClass", "PV1.3.1": "unit", "PV1.19.1": "visitNumber", "PV1.44": "admittedAt",
    "PV1.45": "dischargedAt", "ORC.2.1": "placerNumber", "ORC.3.1": "fillerNumber", "OBR.2.1": "placerOrder",
    "OBR.3.1": "fillerOrder", "OBR.4.1": "serviceCode", "OBR.4.2": "serviceName", "OBR.7": "startedAt",
    "OBR.8": "endedAt", "OBX.2": "valueType", "OBX.3.1": "code", "OBX.3.2": "codeName", "OBX.5": "value",
    "OBX.5.1": "valueCode", "OBX.5.2": "valueName", "OBX.6": "unit", "OBX.11": "status", "OBX.14": "observedAt",
    "PR1.3.1": "procedureCode", "PR1.5": "performedAt", "DG1.3.1": "diagnosisCode", "NTE.3": "comment",
    "PRT.4.1": "role", "PRT.5.1": "person", "PRT.8.1": "organization", "PRT.10.1": "device", "DEV.2.1": "udi",
    "DEV.5.1": "manufacturer", "DEV.5": "manufacturer", "DEV.8": "reference", "DEV.9": "gtin", "DEV.10": "lot",
    "DEV.11": "serial", "DEV.12": "manufactured", "DEV.13": "expiry",
}  # fmt: skip
"""Usual names of what paths lead to. Spec: HL7 v2.9, chapters 2, 3, 4, 7, 17."""
_IDENTIFIERS: Mapping[str, str] = {
    "PI": "patientId", "MR": "recordNumber", "INS": "ins", "NH": "insuranceNumber", "SS": "socialSecurityNumber",
    "AN": "accountNumber", "VN": "visitNumber",
}  # fmt: skip
"""Types of identifiers (PID-3.5) that are shown: codes of HL7's table 0203, and of no patient."""
_FIRST_YEAR, _LAST_YEAR = "1850", "2101"

_Trees = Sequence[Mapping[str, Any]]


def hl7_models(address: Address, name: str | None, encoding: str, zone: str, names: UniqueNames) -> list[ModelSketch]:
    """The model of a message, then those of the segments that messages have several of.

    Raises: ConfigError FM70x, FM784 (cannot be read), FM750 (no whole message).
    """
    file = FileSet(address).listing().files[0]
    plan = SourcePlan(SourceKind.HL7, "", (), RowLayout("", ()), encoding=encoding)
    rows = islice(Hl7Reader(file, plan).rows(()), _SAMPLE)
    trees = [row.cells for row in rows if not row.is_lost]
    if not trees:
        raise ConfigError("FM750", source=address.shown, reason=Text("reasons.no_message"))
    key = next(path for path in _KEYS if path == _KEYS[-1] or _is_key(path, trees))
    is_repeated = len({_text(tree, key) for tree in trees}) < len(trees)
    latest = OrderKey("MSH.7", False, NO_SPAN) if is_repeated and key != _KEYS[-1] else None
    store = store_clause("hl7", key=(key,), latest=latest, encoding=encoding or None)
    model = ModelSketch(names.take(name or pascal_case(address.path.stem if address.path else "Message")), store)
    found, taken = [model], UniqueNames()
    for segment in dict.fromkeys(segment for tree in trees for segment in tree):
        held = [tree[segment] for tree in trees if segment in tree]
        if any(isinstance(entry, list) for entry in held):
            rows_below = [row for entry in held for row in (entry if isinstance(entry, list) else [entry])]
            below = ModelSketch(names.take(pascal_case(segment)))
            below.elements += _elements(segment, rows_below, "", UniqueNames(), zone, "")
            element = child_element(taken.take(f"{segment.lower()}s"), below.name, repeats=True)
            model.add(replace(element, column=segment))
            found.append(below)
        else:
            model.elements += _elements(segment, held, f"{segment}.", taken, zone, key)
    return found


def _text(tree: Mapping[str, Any], path: str) -> str:
    held = at(tree, path_steps(path))
    return str(held) if isinstance(held, str) else ""


def _is_key(path: str, trees: _Trees) -> bool:
    """Has each message one text there, and most messages another than the others?"""
    texts = [_text(tree, path) for tree in trees]
    return all(texts) and 2 * len(set(texts)) > len(texts)


def _elements(  # noqa: PLR0913 - a segment and where it is
    segment: str, rows: _Trees, prefix: str, taken: UniqueNames, zone: str, key: str
) -> Iterator[ElementSketch]:
    """The fields of a kind of segment that some message has."""
    for number in sorted({int(name) for row in rows for name in row}):
        field = str(number)
        if (segment == "MSH" and number < 3) or (number == 1 and segment in _COUNTED):
            continue
        held = [row[field] for row in rows if field in row]
        repeats = any(isinstance(value, list) for value in held)
        items = [item for value in held for item in (value if isinstance(value, list) else [value])]
        items = [item for item in items if item is not None]
        if segment == "PID" and number == 3:
            yield from _identifiers(items, prefix, taken)
            continue
        for inner, texts in _parts(field, items):
            if segment == "MSH" and f"MSH.{inner}" not in _OF_HEADER:
                continue
            path = f"{prefix}{inner}"
            element_name = taken.take(_NAMES.get(f"{segment}.{inner}", f"{segment.lower()}{inner.replace('.', '_')}"))
            kind = TEXT if path == key else _kind(texts)
            element = column_element(element_name, kind, path, zone, required=path == key)
            yield ElementSketch(replace(element, maximum=None if repeats else 1), codes=codes_of(texts))


def _parts(field: str, items: Sequence[Any]) -> Iterator[tuple[str, list[str]]]:
    """The field, or those of its components and subcomponents that are filled, each with its texts."""
    members = sorted({name for item in items if isinstance(item, TreeText) for name in item.members}, key=int)
    if members in ([], ["1"]):
        inner = [item.members["1"] for item in items if isinstance(item, TreeText)]
        if not any(isinstance(item, TreeText) and set(item.members) - {"1"} for item in inner):
            yield field, [str(item) for item in items]
            return
    for name in members:
        below = [item.members[name] for item in items if isinstance(item, TreeText) and name in item.members]
        yield from _parts(f"{field}.{name}", below)


def _identifiers(items: Sequence[Any], prefix: str, taken: UniqueNames) -> Iterator[ElementSketch]:
    """The patient's identifiers, one element for each type of HL7's table that occurs."""
    kinds = {str(item.members.get("5", "")) for item in items if isinstance(item, TreeText)}
    known = [code for code in _IDENTIFIERS if code in kinds]
    for code in known:
        element = column_element(taken.take(_IDENTIFIERS[code]), TEXT, f"{prefix}3[5={code}].1", "")
        yield ElementSketch(element)
    if not known or kinds - set(known):
        element = column_element(taken.take("identifiers"), TEXT, f"{prefix}3.1", "")
        yield ElementSketch(replace(element, maximum=None))


def _kind(texts: Sequence[str]) -> Guess:
    """A date or time of HL7 where each text is one, else text: a number may be a code."""
    days = guess(texts)
    held = [text for text in texts if text]
    is_day = bool(held) and all(text[:8].isdecimal() and _FIRST_YEAR <= text[:4] < _LAST_YEAR for text in held)
    if not is_day or not all(len(text) >= 8 and _fits(text) for text in held):
        return TEXT if days.type in ("integer", "decimal", "boolean") else days
    if all(len(text) == 8 for text in held):
        return Guess("date", "hl7")
    return Guess("dateTime", "hl7", is_local=any(len(text) > 8 and text[-5] not in "+-" for text in held))


def _fits(text: str) -> bool:
    return parser("hl7", "dateTime", "Z")(text) is not None
