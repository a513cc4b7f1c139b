"""What a generated validator calls: shapes of FHIR types, laid under what a contract says of them, and the faults they
report.

A generated validator goes straight through what it expects and asks a `Shape` for a close look only where something is
not plainly so; both find the same faults, all of a record at once. A shape is built when first needed from the
base-type table, whose text is read when the module is imported: no file is touched per record. Standard library only.
"""

from __future__ import annotations

import json
import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from fhirmap.records import Fault

MOST_CHARACTERS = 1024 * 1024
"""A FHIR string holds at most 1 MB."""

Codes = frozenset[tuple[str, str]]


# --- primitives -------------------------------------------------------------------------------------------------------

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_CODE = re.compile(r"[^\s]+(\s[^\s]+)*")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+")
_UUID = re.compile(r"urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_URI = re.compile(r"\S+")
_BASE64 = re.compile(r"(\s*[0-9a-zA-Z+/=]){4,}\s*")
_DAY = r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_ZONE = r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_DATE = re.compile(_DAY)
_DATE_TIME = re.compile(rf"{_DAY}(?:T{_TIME}{_ZONE})?")
_INSTANT = re.compile(rf"([0-9]{{4}})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{_TIME}{_ZONE}")
_TIME_ONLY = re.compile(_TIME)


def is_string(value: object) -> bool:
    """Is it a FHIR string: text with something in it, no control characters but tab and line breaks, at most 1 MB?"""
    if type(value) is not str:
        return False
    if value >= "!" and value.isprintable():
        # It does not begin with a blank, so it is more than blanks.
        return len(value) <= MOST_CHARACTERS
    return len(value) <= MOST_CHARACTERS and not (not value or value.isspace()) and _CONTROL.search(value) is None


def is_code(value: object) -> bool:
    """Is it a FHIR code: words apart by one blank, none at the ends?"""
    return type(value) is str and _CODE.fullmatch(value) is not None and is_string(value)


def is_id(value: object) -> bool:
    """Is it a FHIR id?"""
    return type(value) is str and _ID.fullmatch(value) is not None


def is_uri(value: object) -> bool:
    """Is it a FHIR uri, url or canonical: text without blanks?"""
    return type(value) is str and _URI.fullmatch(value) is not None and is_string(value)


def is_oid(value: object) -> bool:
    """Is it a FHIR oid?"""
    return type(value) is str and _OID.fullmatch(value) is not None


def is_uuid(value: object) -> bool:
    """Is it a FHIR uuid?"""
    return type(value) is str and _UUID.fullmatch(value) is not None


def is_boolean(value: object) -> bool:
    """Is it true or false?"""
    return type(value) is bool


def is_integer(value: object) -> bool:
    """Is it a FHIR integer of 32 bits?"""
    return type(value) is int and -(2**31) <= value < 2**31


def is_positive_int(value: object) -> bool:
    """Is it 1 or more?"""
    return type(value) is int and 1 <= value < 2**31


def is_unsigned_int(value: object) -> bool:
    """Is it 0 or more?"""
    return type(value) is int and 0 <= value < 2**31


def is_integer64(value: object) -> bool:
    """Is it a FHIR integer64, which JSON holds as text?"""
    if type(value) is str:
        return re.fullmatch(r"0|[-+]?[1-9][0-9]*", value) is not None and -(2**63) <= int(value) < 2**63
    return type(value) is int and -(2**63) <= value < 2**63


def is_decimal(value: object) -> bool:
    """Is it a finite number?"""
    if type(value) is Decimal:
        return value.is_finite()
    if type(value) is float:
        return value - value == 0
    return type(value) is int


def is_date(value: object) -> bool:
    """Is it a FHIR date (year, month or day) that the calendar has?"""
    return type(value) is str and _is_day(_DATE.fullmatch(value))


def is_date_time(value: object) -> bool:
    """Is it a FHIR dateTime (a date, or an instant with its zone) that the calendar has?"""
    return type(value) is str and _is_day(_DATE_TIME.fullmatch(value))


def is_instant(value: object) -> bool:
    """Is it a FHIR instant?"""
    return type(value) is str and _is_day(_INSTANT.fullmatch(value))


def is_time(value: object) -> bool:
    """Is it a FHIR time?"""
    return type(value) is str and _TIME_ONLY.fullmatch(value) is not None


def is_base64_binary(value: object) -> bool:
    """Is it base64 text?"""
    if type(value) is not str or _BASE64.fullmatch(value) is None:
        return False
    packed = "".join(value.split())
    return len(packed) % 4 == 0 and "=" not in packed.rstrip("=") and len(packed) - len(packed.rstrip("=")) <= 2


def is_xhtml(value: object) -> bool:
    """Is it a narrative's text: one `div`?"""
    return type(value) is str and value.lstrip().startswith("<div") and value.rstrip().endswith(">")


def _is_day(match: re.Match[str] | None) -> bool:
    if match is None or match[1] == "0000":
        return False
    day = match[3]
    return day is None or day <= "28" or int(day) <= monthrange(int(match[1]), int(match[2]))[1]


PRIMITIVES: Mapping[str, Callable[[object], bool]] = {
    "base64Binary": is_base64_binary,
    "boolean": is_boolean,
    "canonical": is_uri,
    "code": is_code,
    "date": is_date,
    "dateTime": is_date_time,
    "decimal": is_decimal,
    "id": is_id,
    "instant": is_instant,
    "integer": is_integer,
    "integer64": is_integer64,
    "markdown": is_string,
    "oid": is_oid,
    "positiveInt": is_positive_int,
    "string": is_string,
    "time": is_time,
    "unsignedInt": is_unsigned_int,
    "uri": is_uri,
    "url": is_uri,
    "uuid": is_uuid,
    "xhtml": is_xhtml,
}
_JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "decimal": (int, float, Decimal),
    "integer": (int,),
    "integer64": (str, int),
    "positiveInt": (int,),
    "unsignedInt": (int,),
}


def is_coded(concept: object, codes: Codes) -> bool:
    """Is it plainly a CodeableConcept with one coding, of a system and a code among ``codes``, perhaps with its
    display?
    """
    if type(concept) is not dict or len(concept) != 1:
        return False
    codings = concept.get("coding")
    if type(codings) is not list or len(codings) != 1:
        return False
    coding = codings[0]
    if type(coding) is not dict:
        return False
    system, code = coding.get("system"), coding.get("code")
    if type(system) is not str or type(code) is not str or (system, code) not in codes:
        return False
    return len(coding) == 2 or (len(coding) == 3 and is_string(coding.get("display")))


def names_profiles(meta: object) -> bool:
    """Is it plainly a Meta that names profiles and says no more?"""
    if type(meta) is not dict or len(meta) != 1:
        return False
    profiles = meta.get("profile")
    return type(profiles) is list and len(profiles) > 0 and all(map(is_uri, profiles))


# --- what a contract adds ---------------------------------------------------------------------------------------------

Test = Callable[[Any, Any], bool]
"""(focus, resource) -> does it hold?"""
Path = str | tuple[Any, ...]
"""Where a value stands: its path, or the path with gaps and the indexes to fill them with should there be a fault."""
Rules = Callable[[Any, Any, list[Fault], Path, str], None]
"""(focus, resource, faults, path, element): reports each invariant that does not hold of the focus."""
Cause = tuple[str, Test, str]
"""Name, test and text of one reason for which an invariant fails."""


def broken(
    faults: list[Fault],
    key: str,
    severity: str,
    path: Path,
    element: str,
    human: str,
    focus: Any = None,
    resource: Any = None,
    causes: tuple[Cause, ...] = (),
) -> None:
    """Report an invariant that does not hold, in the words of the first cause that applies."""
    for name, applies, told in causes:
        if applies(focus, resource):
            faults.append(Fault("FM520", severity, _written(path), element, key, {"human": told}, name))
            return
    faults.append(Fault("FM520", severity, _written(path), element, key, {"human": human}))


def not_judged(faults: list[Fault], key: str, severity: str, path: Path, element: str, code: str) -> None:
    """Report an invariant whose expression could not be evaluated on this value."""
    faults.append(Fault("FM521", severity, _written(path), element, key, {"code": code}))


def _written(path: Path) -> str:
    return path if isinstance(path, str) else path[0].format(*path[1:])


def is_sound(faults: Sequence[Fault]) -> bool:
    """Is everything of the JSON type it should have, so that expressions can walk it?"""
    return all(fault.code not in ("FM501", "FM512") for fault in faults)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a contract says of one element beyond its base type; what is None is the base type's.

    ``types``: the types it leaves of a choice; ``shapes``: the shape to take instead of the base type's; ``codes``:
    (system, code) pairs of a required binding; ``when`` of a slice: (path, value) pairs by which an item belongs to it.
    """

    minimum: int | None = None
    maximum: int | None = None
    types: tuple[str, ...] | None = None
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    fixed: Any = None
    pattern: Any = None
    codes: Codes | None = None
    rules: Rules | None = None
    slices: tuple[SliceLimits, ...] = ()
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class SliceLimits:
    """A slice of a repeating element or of a choice."""

    name: str
    when: tuple[tuple[str, Any], ...]
    limits: Limits


NOTHING = Limits()


# --- shapes -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slot:
    """One element of a shape: its stem, the types it takes and how often, and what the contract adds."""

    name: str
    written: str
    """As element paths write it: `value[x]`."""
    types: tuple[str, ...]
    minimum: int
    maximum: int | None
    repeats: bool
    codes: frozenset[str]
    """Codes of a base type's required binding; empty where it lists none."""
    limits: Limits

    def json_names(self) -> Iterator[tuple[str, str]]:
        """(JSON name, type) for each form it takes."""
        if self.written == self.name:
            yield self.name, self.types[0] if self.types else ""
            return
        for kind in self.types:
            yield self.name + kind[:1].upper() + kind[1:], kind


class Types:
    """The base types of one FHIR release, as shapes built on demand from the table's text."""

    def __init__(self, version: str) -> None:
        self.version = version
        self._table = files("fhirmap").joinpath("tables", f"{version.lower()}.ndjson").read_text(encoding="utf-8")
        self._levels: dict[str, list[list[Any]]] = {}
        self._kinds: dict[str, str] = {}
        self._shapes: dict[str, Shape] = {}

    def shape(self, name: str) -> Shape | None:
        """The shape of a type or of a backbone (`Patient.contact`); None for a name that FHIR does not know."""
        known = self._shapes.get(name)
        if known is None:
            rows = self._rows(name)
            if rows is None:
                return None
            known = self._shapes[name] = Shape(self, name, rows, {}, self._kinds[name.partition(".")[0]] == "resource")
        return known

    def resource_shape(self, name: object) -> Shape | None:
        """The shape of a resource type that can stand in data."""
        shape = self.shape(name) if isinstance(name, str) and "." not in name else None
        return shape if shape is not None and shape.is_resource and name not in _ABSTRACT else None

    def constrained(self, name: str, limits: Mapping[str, Limits], rules: Rules | None = None) -> Shape:
        """The shape of a type with what a contract adds to its elements."""
        rows = self._rows(name)
        if rows is None:
            raise KeyError(name)
        return Shape(self, name, rows, limits, self._kinds[name.partition(".")[0]] == "resource", rules)

    def _rows(self, name: str) -> list[list[Any]] | None:
        if name not in self._levels:
            root = name.partition(".")[0]
            opening = f'["{root}",'
            start = 0 if self._table.startswith(opening) else self._table.find("\n" + opening) + 1
            if start == 0 and not self._table.startswith(opening):
                return None
            _, kind, _, _, levels = json.loads(self._table[start : self._table.index("\n", start)])
            self._kinds[root] = kind
            self._levels.update(levels)
        return self._levels.get(name)


_ABSTRACT = frozenset({"Resource", "DomainResource", "CanonicalResource", "MetadataResource"})
_ONE_OF: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Parameters.parameter": ("inv-1", ("value", "resource", "part")),
    "Extension": ("ext-1", ("value", "extension")),
}
"""Base invariants: exactly one of these elements is there."""


@cache
def types_of(version: str) -> Types:
    """The base types of a release, once for a process."""
    return Types(version)


class Shape:
    """What an object of one type may hold. `check` reports everything that is wrong with one."""

    __slots__ = ("_by_json", "_forbidden", "_one_of", "_required", "is_resource", "name", "rules", "types")

    def __init__(
        self,
        types: Types,
        name: str,
        rows: Sequence[Sequence[Any]],
        limits: Mapping[str, Limits],
        is_resource: bool,
        rules: Rules | None = None,
    ) -> None:
        self.types = types
        self.name = name
        self.is_resource = is_resource and "." not in name
        self.rules = rules
        self._by_json: dict[str, tuple[Slot, str]] = {}
        self._forbidden: dict[str, Slot] = {}
        self._required: list[Slot] = []
        self._one_of = _ONE_OF.get(name)
        for row in rows:
            slot = _slot(row, limits.get(row[0].removesuffix("[x]"), NOTHING))
            for json_name, kind in slot.json_names():
                self._by_json[json_name] = (slot, kind)
                if slot.maximum == 0 or (slot.limits.types is not None and kind not in slot.limits.types):
                    self._forbidden[json_name] = slot
            if slot.minimum or any(entry.limits.minimum for entry in slot.limits.slices):
                self._required.append(slot)

    def check(
        self, node: object, faults: list[Fault], path: str = "", element: str = "", resource: object = None
    ) -> None:
        """Report everything that is wrong with ``node``, which stands at ``path``."""
        path, element = path or self.name, element or self.name
        if type(node) is not dict:
            faults.append(Fault("FM501", "error", path, element, "type", {"expected": "an object"}))
            return
        if not node:
            faults.append(Fault("FM503", "error", path, element, "empty", {"what": "object"}))
            return
        if self.is_resource:
            resource = node
        before = len(faults)
        self.check_elements(node, faults, path, element, resource)
        if self.rules is not None and is_sound(faults[before:]):
            self.rules(node, resource, faults, path, element)

    def check_elements(
        self, node: dict[str, Any], faults: list[Fault], path: str, element: str, resource: object, but: str = ""
    ) -> None:
        """Report what is wrong with the elements of ``node``, the one called ``but`` left to the caller."""
        seen: dict[str, str] = {}
        for name, value in node.items():
            if name == but:
                seen[name] = name
                continue
            found = self._by_json.get(name)
            if found is None:
                self._check_other(name, value, faults, path, element, resource, seen)
                continue
            slot, kind = found
            here, here_element = f"{path}.{slot.name}", f"{element}.{slot.written}"
            if slot.name in seen and seen[slot.name] != name:
                faults.append(Fault("FM507", "error", here, here_element, "choice", {"name": slot.written}))
            seen[slot.name] = name
            if name in self._forbidden:
                faults.append(_forbidden(slot, here, here_element))
                continue
            self._check_slot(slot, kind, value, node, name, faults, here, here_element, resource)
        absent = [slot for slot in self._required if slot.name not in seen]
        for slot in absent:
            _report_absent(slot, faults, f"{path}.{slot.name}", f"{element}.{slot.written}")
        if self._one_of:
            key, names = self._one_of
            # An element that the contract requires and that is missing has been told already.
            if sum(name in seen for name in names) != 1 and not any(slot.name in names for slot in absent):
                faults.append(Fault("FM509", "error", path, element, key, {"names": ", ".join(names)}))

    def _check_other(
        self,
        name: str,
        value: object,
        faults: list[Fault],
        path: str,
        element: str,
        resource: object,
        seen: dict[str, str],
    ) -> None:
        """A key that is no element: `resourceType`, the `_x` beside a primitive, or a fault."""
        if name == "resourceType" and self.is_resource:
            if value != self.name:
                faults.append(Fault("FM512", "error", path, element, "type", {"expected": self.name}))
            return
        found = self._by_json.get(name[1:]) if name[:1] == "_" else None
        if found is None or found[1] not in PRIMITIVES:
            faults.append(Fault("FM500", "error", f"{path}.{name}", f"{element}.{name}", "unknown", {"name": name}))
            return
        slot = found[0]
        here, here_element = f"{path}.{slot.name}", f"{element}.{slot.written}"
        seen.setdefault(slot.name, name[1:])
        beside = self.types.shape("Element")
        if beside is None:
            raise KeyError("Element")
        if not slot.repeats:
            beside.check(value, faults, here, here_element, resource)
            return
        if type(value) is not list or not value:
            faults.append(Fault("FM501", "error", here, here_element, "type", {"expected": "a list"}))
            return
        for index, item in enumerate(value):
            if item is not None:
                beside.check(item, faults, f"{here}[{index}]", here_element, resource)

    def _check_slot(
        self,
        slot: Slot,
        kind: str,
        value: object,
        node: dict[str, Any],
        name: str,
        faults: list[Fault],
        path: str,
        element: str,
        resource: object,
    ) -> None:
        limits = slot.limits
        if not slot.repeats:
            if type(value) is list:
                faults.append(Fault("FM501", "error", path, element, "type", {"expected": "one value, not a list"}))
                return
            chosen = _slice_of(limits.slices, value, kind)
            if chosen is not None:
                limits, element = chosen.limits, f"{element}:{chosen.name}"
            self._check_value(slot, kind, value, faults, path, element, resource, limits)
            return
        if type(value) is not list:
            faults.append(Fault("FM501", "error", path, element, "type", {"expected": "a list"}))
            return
        if not value:
            faults.append(Fault("FM503", "error", path, element, "empty", {"what": "list"}))
        beside = node.get("_" + name)
        counts = dict.fromkeys((entry.name for entry in limits.slices), 0)
        for index, item in enumerate(value):
            here = f"{path}[{index}]"
            if item is None and type(beside) is list and index < len(beside) and beside[index]:
                continue
            chosen = _slice_of(limits.slices, item, kind)
            if chosen is None:
                if limits.is_closed:
                    faults.append(Fault("FM513", "error", here, element, "slicing", {"name": slot.name}))
                self._check_value(slot, kind, item, faults, here, element, resource, limits)
                continue
            counts[chosen.name] += 1
            self._check_value(slot, kind, item, faults, here, f"{element}:{chosen.name}", resource, chosen.limits)
        before = len(faults)
        for entry in limits.slices:
            least, most = entry.limits.minimum or 0, entry.limits.maximum
            report_count(entry.name, counts[entry.name], least, most, faults, path, f"{element}:{entry.name}")
        if len(faults) == before and value:
            report_count(slot.name, len(value), slot.minimum, slot.maximum, faults, path, element)

    def _check_value(
        self,
        slot: Slot,
        kind: str,
        value: object,
        faults: list[Fault],
        path: str,
        element: str,
        resource: object,
        limits: Limits,
    ) -> None:
        """One value of a slot: its type's form, then what the contract says of it."""
        before = len(faults)
        is_primitive = PRIMITIVES.get(kind)
        if is_primitive is not None:
            _check_primitive(kind, is_primitive, value, slot, faults, path, element)
        else:
            shape = limits.shapes.get(kind) or self._shape_for(kind, value, faults, path, element)
            if shape is not None:
                shape.check(value, faults, path, element, resource)
        if len(faults) > before and is_primitive is not None:
            return
        _check_limits(limits, value, faults, path, element)
        if limits.rules is not None and is_sound(faults[before:]):
            limits.rules(value, resource, faults, path, element)

    def _shape_for(self, kind: str, value: object, faults: list[Fault], path: str, element: str) -> Shape | None:
        if kind not in _ABSTRACT:
            return self.types.shape(kind)
        name = value.get("resourceType") if type(value) is dict else None
        shape = self.types.resource_shape(name)
        if shape is None:
            faults.append(Fault("FM512", "error", path, element, "type", {"expected": "a resource type"}))
        return shape


def _slot(row: Sequence[Any], limits: Limits) -> Slot:
    written, minimum, maximum, types, codes, _ = row
    minimum = max(minimum, limits.minimum or 0)
    most = maximum or None
    if limits.maximum is not None:
        most = limits.maximum if most is None else min(most, limits.maximum)
    return Slot(
        name=written.removesuffix("[x]"),
        written=written,
        types=tuple(types),
        minimum=minimum,
        maximum=most,
        repeats=maximum == 0,
        codes=frozenset(codes or ()),
        limits=limits,
    )


def _forbidden(slot: Slot, path: str, element: str) -> Fault:
    if slot.maximum == 0:
        return Fault("FM505", "error", path, element, "cardinality", {"name": slot.name}, "forbidden")
    expected = " or ".join(slot.limits.types or ())
    return Fault("FM508", "error", path, element, "type", {"expected": expected})


def _report_absent(slot: Slot, faults: list[Fault], path: str, element: str) -> None:
    if slot.minimum and not slot.limits.slices:
        faults.append(Fault("FM504", "error", path, element, "required", {"name": slot.name}))
    for entry in slot.limits.slices:
        if entry.limits.minimum:
            args = {"name": entry.name}
            faults.append(Fault("FM504", "error", path, f"{element}:{entry.name}", "required", args))


def report_count(
    name: str, count: int, least: int, most: int | None, faults: list[Fault], path: str, element: str
) -> None:
    """Report an element that stands less often than ``least`` or more often than ``most`` (None: as often as it
    likes).
    """
    if count < least:
        if count == 0:
            faults.append(Fault("FM504", "error", path, element, "required", {"name": name}))
            return
        args: dict[str, object] = {"name": name, "count": count, "least": least}
        faults.append(Fault("FM505", "error", path, element, "cardinality", args, "few"))
    elif most is not None and count > most:
        args = {"name": name, "count": count, "most": most}
        faults.append(Fault("FM505", "error", path, element, "cardinality", args, "many"))


def _check_primitive(
    kind: str,
    is_primitive: Callable[[object], bool],
    value: object,
    slot: Slot,
    faults: list[Fault],
    path: str,
    element: str,
) -> None:
    if is_primitive(value):
        if slot.codes and value not in slot.codes:
            args = {"name": slot.name, "known": ", ".join(sorted(slot.codes))}
            faults.append(Fault("FM506", "error", path, element, "binding", args))
        return
    if value is None or value == "":
        faults.append(Fault("FM503", "error", path, element, "empty", {"what": "value" if value is None else "text"}))
        return
    expected = _JSON_TYPES.get(kind, (str,))
    code = "FM502" if type(value) in expected else "FM501"
    rule = "format" if code == "FM502" else "type"
    variant = _unfit_text(value) if code == "FM502" and isinstance(value, str) else ""
    faults.append(Fault(code, "error", path, element, rule, {"expected": kind}, variant))


def _unfit_text(value: str) -> str:
    """What no type allows of a text: too long, or a control character. Empty where it is the form of the type alone."""
    if len(value) > MOST_CHARACTERS:
        return "long"
    return "control" if _CONTROL.search(value) else ""


def _check_limits(limits: Limits, value: Any, faults: list[Fault], path: str, element: str) -> None:
    if limits.fixed is not None and value != limits.fixed:
        faults.append(Fault("FM510", "error", path, element, "fixed"))
    if limits.pattern is not None and not matches_pattern(value, limits.pattern):
        faults.append(Fault("FM510", "error", path, element, "pattern"))
    if limits.codes is not None and not is_bound(value, limits.codes):
        faults.append(Fault("FM511", "error", path, element, "binding"))


def is_bound(value: object, codes: Codes) -> bool:
    """Is a code, Coding or CodeableConcept one of ``codes``, by system and code?"""
    if isinstance(value, str):
        return any(code == value for _, code in codes)
    if not isinstance(value, dict):
        return False
    if "coding" in value or "code" not in value:
        codings = value.get("coding")
        return isinstance(codings, list) and any(is_bound(coding, codes) for coding in codings if type(coding) is dict)
    system, code = value.get("system"), value.get("code")
    return isinstance(system, str) and isinstance(code, str) and (system, code) in codes


def matches_pattern(value: object, pattern: object) -> bool:
    """Does ``value`` hold at least what ``pattern`` holds (each item of a list somewhere in the list)?"""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and matches_pattern(value[key], held) for key, held in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(matches_pattern(item, held) for item in value) for held in pattern)
    return type(value) is type(pattern) and value == pattern


def _slice_of(slices: tuple[SliceLimits, ...], item: object, kind: str) -> SliceLimits | None:
    """The slice that an item belongs to."""
    for entry in slices:
        if entry.when and all(_stands_at(item, path, value, kind) for path, value in entry.when):
            return entry
    return None


def _stands_at(item: object, path: str, value: object, kind: str) -> bool:
    if path == "$type":
        return kind == value or (isinstance(item, dict) and item.get("resourceType") == value)
    if path == "$this":
        return matches_pattern(item, value)
    return any(matches_pattern(held, value) for held in _at(item, path.split(".")))


def _at(item: object, steps: Sequence[str]) -> Iterator[object]:
    if isinstance(item, list):
        for held in item:
            yield from _at(held, steps)
    elif not steps:
        yield item
    elif isinstance(item, dict):
        for name, held in item.items():
            step = steps[0]
            if name == step or (name.startswith(step) and name[len(step) : len(step) + 1].isupper()):
                yield from _at(held, steps[1:])
