"""Facts of FHIR's data types, each written once: names, families, parents, ranges and the forms of primitives.

The analysis, the compiler and the runtime all read this table; standard library only, since the runtime is shipped
without the rest. Names of a release's resources and complex types are in ``tables/``.

Spec: FHIR R4, datatypes.html, Primitive Types (2.24.0.1): the regular expressions, ranges and lengths there; integer64
is R5's. FHIRPath N1, 2.1, for the System types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

TEXTS = frozenset((
    "string", "code", "id", "uri", "url", "canonical", "oid", "uuid", "markdown", "base64Binary", "xhtml",
))  # fmt: skip
"""Primitives that are any text of a certain form."""
DATES = frozenset(("date", "dateTime", "instant", "time"))
"""Primitives of the calendar and the clock: texts in JSON."""
UNIX_FORMATS: Mapping[str, int] = {"unix": 1, "unix-ms": 1000}
"""Formats of times counted from 1970-01-01T00:00:00Z on, and how many of their units are a second."""
HL7_FORMAT = "hl7"
"""Format of dates and times of HL7 v2 and CDA: as many digits as are known, an offset perhaps."""
NAMED_FORMATS = frozenset((*UNIX_FORMATS, HL7_FORMAT))
"""Formats that are a name, and no letters for the parts of a date."""
INTEGERS = frozenset(("integer", "positiveInt", "unsignedInt", "integer64"))
NUMBERS = INTEGERS | {"decimal"}
PRIMITIVES = TEXTS | DATES | NUMBERS | {"boolean"}
"""FHIR's primitive types, in any release."""

QUANTITIES = frozenset(("Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity"))
"""Quantity and its profiles that are types of elements."""

PARENTS: Mapping[str, str] = {
    "code": "string", "id": "string", "markdown": "string",
    "canonical": "uri", "oid": "uri", "url": "uri", "uuid": "uri",
    "positiveInt": "integer", "unsignedInt": "integer",
    "Age": "Quantity", "Count": "Quantity", "Distance": "Quantity", "Duration": "Quantity",
    "SimpleQuantity": "Quantity", "MoneyQuantity": "Quantity",
}  # fmt: skip
"""The type that a primitive or a quantity specialises. A primitive that is not here specialises Element."""

ANY_RESOURCE = frozenset(("Resource", "DomainResource"))
"""Types of elements that hold a resource of any type."""
ABSTRACT_RESOURCES = ANY_RESOURCE | {"CanonicalResource", "MetadataResource"}
"""Resource types of which there are no instances."""
OPEN_TYPES = ANY_RESOURCE | {"Element", "BackboneElement", "Base", "DataType", "BackboneType"}
"""Abstract types: an element of such a type may hold elements that the type does not list."""

SYSTEM_TYPES: Mapping[str, str] = {
    "boolean": "Boolean",
    "integer": "Integer",
    "integer64": "Long",
    "positiveInt": "Integer",
    "unsignedInt": "Integer",
    "decimal": "Decimal",
    "date": "Date",
    "dateTime": "DateTime",
    "instant": "DateTime",
    "time": "Time",
}
"""The FHIRPath System type of a primitive's value. One that is not here is a String."""

INTEGER_RANGES: Mapping[str, tuple[int, int]] = {
    "integer": (-(2**31), 2**31 - 1),
    "positiveInt": (1, 2**31 - 1),
    "unsignedInt": (0, 2**31 - 1),
    "integer64": (-(2**63), 2**63 - 1),
}
"""Least and greatest value."""

MOST_CHARACTERS = 1024 * 1024
"""A string holds at most 1 MB."""
CONTROL_CHARACTERS = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
"""What a string does not hold: characters below U+0020 other than tab and line breaks."""

_BLANKS = r"[ \t\r\n]*"
_SEXTET = r"[0-9a-zA-Z+/]"
_PADDED = rf"{_SEXTET}{{2}}(?:==|{_SEXTET}=)"
_YEAR = r"[0-9]{4}"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

PATTERNS: Mapping[str, str] = {
    "base64Binary": rf"{_BLANKS}(?={_SEXTET})(?:{_SEXTET}{{4}}{_BLANKS})*+(?:{_PADDED}{_BLANKS})?",
    "code": r"\S+(?: \S+)*",
    "date": rf"({_YEAR})(?:-({_MONTH})(?:-({_DAY}))?)?",
    "dateTime": rf"({_YEAR})(?:-({_MONTH})(?:-({_DAY})(?:T{_CLOCK}{_ZONE})?)?)?",
    "id": r"[A-Za-z0-9\-.]{1,64}",
    "instant": rf"({_YEAR})-({_MONTH})-({_DAY})T{_CLOCK}{_ZONE}",
    "integer64": r"0|[-+]?[1-9][0-9]*",
    "oid": r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+",
    "time": _CLOCK,
    "uri": r"\S+",
    "uuid": r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
}
"""What the whole text of a primitive matches. The dates' first three groups are year, month and day.

Narrower than the specification's own expressions where its words are: a code has single blanks only, base64 is whole
groups of four characters with its padding at the end, an empty uri is no value.
"""


REFERENCE_BEGINNING = r"(?P<base>https?://[^\s#?]+/)?(?P<type>[A-Z][A-Za-z]+)/"
"""What comes before the id in a reference that names the type it points to."""
LITERAL_REFERENCE = rf"{REFERENCE_BEGINNING}(?P<id>{PATTERNS['id']})(?:/_history/{PATTERNS['id']})?"
"""What a reference matches that names the type it points to: `Patient/1`, `https://a.example/fhir/Patient/1`."""


def system_type(primitive: str) -> str:
    """Name of the FHIRPath System type that a primitive's value has.

    Example:
        >>> system_type("code"), system_type("positiveInt")
        ('String', 'Integer')
    """
    return SYSTEM_TYPES.get(primitive, "String")


class Family(StrEnum):
    """Types whose values compare with one another."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    QUANTITY = "quantity"
    OTHER = ""


_FAMILIES: Mapping[str, Family] = {
    "String": Family.TEXT,
    "Integer": Family.NUMBER,
    "Long": Family.NUMBER,
    "Decimal": Family.NUMBER,
    "Boolean": Family.BOOLEAN,
    "Date": Family.DATE,
    "DateTime": Family.DATE,
    "Time": Family.TIME,
    "Quantity": Family.QUANTITY,
}


def family(type_name: str) -> Family:
    """The family of a FHIR or System type.

    Example:
        >>> family("instant").value, family("System.Long").value, family("HumanName").value
        ('date', 'number', '')
    """
    if type_name in PRIMITIVES:
        return _FAMILIES[system_type(type_name)]
    if type_name in QUANTITIES:
        return Family.QUANTITY
    _, is_system, short = type_name.partition("System.")
    return _FAMILIES.get(short, Family.OTHER) if is_system else Family.OTHER


def number_type(type_names: Iterable[str]) -> str:
    """The System type of a sum of numbers of those types: the widest of them.

    Spec: FHIRPath N1, 6.6, Math: an Integer becomes a Long beside a Long, and either a Decimal beside a Decimal.

    Example:
        >>> number_type(["System.Long", "positiveInt"]), number_type(["decimal", "integer"])
        ('Long', 'Decimal')
    """
    given = {SYSTEM_TYPES.get(name, name.removeprefix("System.")) for name in type_names}
    return next((name for name in ("Decimal", "Long") if name in given), "Integer")


UNNAMED_TYPES = ("BackboneElement", "Element")
"""Types of the parts of a structure that have no type of their own: `Patient.contact`, `Timing.repeat`."""
