"""Text: truncate, append, escape, cast and the implicit conversions between primitives.

What `cast` gives is what the validator accepts: both ask the predicates of `fhirmap.runtime.validation.primitives`.

Spec: FML, transforms; `cast` takes FHIR's primitive types.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from fhirmap.data import MapValue
from fhirmap.decimals import decimal_text
from fhirmap.errors import TransformFailed
from fhirmap.fhir_types import INTEGERS, PRIMITIVES
from fhirmap.runtime.fhirpath.long_texts import check_length
from fhirmap.runtime.validation.primitives import PREDICATES
from fhirmap.texts import Text

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_DAY_AND_CLOCK = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([01][0-9]|2[0-3]):[0-5][0-9](:([0-5][0-9]|60)(\.[0-9]+)?)?"
    r"\s?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def shown(value: object) -> str:
    """A primitive as text: booleans in lower case, decimals with their digits."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    return str(value)


def primitive_of(value: MapValue) -> MapValue:
    """The primitive that ``value`` is.

    Raises: ``TransformFailed`` FM404 where it is an object or a list.
    """
    if isinstance(value, dict | list):
        raise TransformFailed("FM404", given=Text("values.an_object"), wanted=Text("values.a_primitive"))
    return value


def cast(value: MapValue, type_name: str) -> MapValue:
    """``value`` as FHIR primitive ``type_name``, by its text; None for none and for an empty text.

    The text is in FHIR's own form, with four exceptions: numbers may have leading zeros and a sign, `1` and `0` are
    booleans as databases keep them, a date may be the day of a dateTime, and a narrative may be written as HTML. A
    decimal without a fraction is a whole number. No text is a value of a complex type.

    Raises: ``TransformFailed`` FM404 where the text does not say such a value.
    Spec: FML, transforms, cast; FHIR R4, datatypes.html, Primitive Types.

    Example:
        >>> cast("5", "integer"), cast(Decimal("1.50"), "string"), cast("2025-03-20", "dateTime")
        (5, '1.50', '2025-03-20')
    """
    if value is None or value == "":
        return None
    if isinstance(value, Decimal) and type_name in INTEGERS and _is_whole(value):
        value = int(value)
    text = shown(primitive_of(value))
    found = _cast_text(text, type_name)
    if found is None:
        raise TransformFailed("FM404", given=Text("values.text_of", {"count": len(text)}), wanted=type_name)
    return found


def _is_whole(value: Decimal) -> bool:
    return value.is_finite() and value == value.to_integral_value()


def _cast_text(text: str, type_name: str) -> MapValue:
    if type_name not in PRIMITIVES:
        return None
    found = _READERS[type_name](text) if type_name in _READERS else text
    is_fit = PREDICATES.get(type_name)
    return found if is_fit is None or is_fit(str(found) if type_name == "integer64" else found) else None


def _integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text) if _DECIMAL.fullmatch(text) else None
    except InvalidOperation:
        return None


def _date(text: str) -> str:
    """A dateTime gives its own day, as it is written."""
    match = _DAY_AND_CLOCK.fullmatch(text)
    return match[1] if match else text


def _narrative(text: str) -> str | None:
    """XHTML, with what HTML leaves out put right; no elements and attributes that a narrative may not have."""
    # Here, not above: few maps make one.
    from fhirmap.runtime.fhirpath.narrative import is_plain_narrative
    from fhirmap.xhtml import NarrativeError, xhtml_of

    try:
        return xhtml_of(text) if is_plain_narrative(text) else None
    except NarrativeError:
        return None


_READERS: Mapping[str, Callable[[str], Any]] = {
    "boolean": _BOOLEANS.get,
    "date": _date,
    "decimal": _decimal,
    "xhtml": _narrative,
    **dict.fromkeys(INTEGERS, _integer),
}
"""How the text of a type is read where its value is no text, or another type has it in itself."""


def truncate(text: MapValue, length: MapValue) -> str | None:
    """The first ``length`` characters of ``text``.

    Raises: ``TransformFailed`` FM450 where the length is no whole number of 0 or more.
    Spec: FML, transforms, truncate.

    Example:
        >>> truncate("Valmorel", 3), truncate("V", 3)
        ('Val', 'V')
    """
    if text is None:
        return None
    if isinstance(length, bool) or not isinstance(length, int) or length < 0:
        raise TransformFailed("FM450", function="truncate", what=Text("values.a_length"))
    return shown(primitive_of(text))[:length] or None


def append(*parts: MapValue) -> str | None:
    """All ``parts`` one after the other, an absent one as nothing (HAPI writes `null`).

    Raises: ``TransformFailed`` FM433 where that is too long (`check_length`).
    Spec: FML, transforms, append.

    Example:
        >>> append("a", None, 5)
        'a5'
    """
    texts = [shown(primitive_of(part)) for part in parts if part is not None]
    check_length(sum(map(len, texts)), "append")
    return "".join(texts) or None


def escape(text: MapValue, source: str, target: str = "plain") -> str | None:
    """``text`` unescaped from one format and escaped for another: plain, java, xml, html, json.

    Raises: ``TransformFailed`` FM450 for another format, FM433 for a result that is too long (`check_length`).
    Spec: FML, transforms, escape.

    Example:
        >>> escape("a &lt; b", "xml", "plain")
        'a < b'
    """
    if text is None:
        return None
    made = _way(_ESCAPES, target)(_way(_UNESCAPES, source)(shown(primitive_of(text))))
    check_length(len(made), "escape")
    return made or None


def _way(ways: dict[str, Callable[[str], str]], name: str) -> Callable[[str], str]:
    if name not in ways:
        what = Text("values.one_of_formats", {"formats": ", ".join(sorted(ways))})
        raise TransformFailed("FM450", function="escape", what=what)
    return ways[name]


def _json_unescape(text: str) -> str:
    try:
        found = json.loads(f'"{text}"')
    except ValueError:
        raise TransformFailed("FM450", function="escape", what=Text("values.escaped_text")) from None
    return str(found)


_UNESCAPES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "xml": html.unescape,
    "html": html.unescape,
    "json": _json_unescape,
    "java": _json_unescape,
}
_ESCAPES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "xml": html.escape,
    "html": html.escape,
    "json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "java": lambda text: json.dumps(text)[1:-1],
}
