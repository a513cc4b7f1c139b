"""Text: truncate, append, escape, cast and the implicit conversions between primitives.

Spec: FML, transforms; `cast` takes FHIR's primitive types.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from fhirmap.errors import TransformFailed
from fhirmap.runtime.transforms.dates import parser

_INTEGERS = {"integer": None, "integer64": None, "unsignedInt": 0, "positiveInt": 1}
_DATES = frozenset(("date", "dateTime", "instant", "time"))
_PATTERNS = {
    "id": re.compile(r"[A-Za-z0-9\-.]{1,64}"),
    "oid": re.compile(r"urn:oid:[0-2](\.(0|[1-9]\d*))+", re.ASCII),
    "uuid": re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "uri": re.compile(r"\S*"),
    "url": re.compile(r"\S*"),
    "canonical": re.compile(r"\S*"),
    "code": re.compile(r"\S+( \S+)*"),
    "base64Binary": re.compile(r"(\s*[A-Za-z0-9+/=]\s*)*"),
}
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def shown(value: Any) -> str:
    """A primitive as text: booleans in lower case, decimals with their digits."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def primitive_of(value: Any) -> Any:
    """The primitive that ``value`` is.

    Raises: ``TransformFailed`` FM404 where it is an object or a list.
    """
    if isinstance(value, dict | list):
        raise TransformFailed("FM404", given="an object", wanted="a primitive")
    return value


def cast(value: Any, type_name: str) -> Any:
    """``value`` as FHIR primitive ``type_name``, by its text; None for none.

    Raises: ``TransformFailed`` FM404 where the text does not say such a value.
    Spec: FML, transforms, cast.

    Example:
        >>> cast("5", "integer"), cast(Decimal("1.50"), "string"), cast("2025-03-20", "dateTime")
        (5, '1.50', '2025-03-20')
    """
    if value is None:
        return None
    text = shown(primitive_of(value))
    found = _cast_text(text, type_name)
    if found is None:
        raise TransformFailed("FM404", given=f"text of {len(text)} characters", wanted=type_name)
    return found


def _cast_text(text: str, type_name: str) -> Any:
    if type_name in _INTEGERS:
        least = _INTEGERS[type_name]
        if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
            return None
        return int(text) if least is None or int(text) >= least else None
    if type_name == "decimal":
        try:
            number = Decimal(text) if re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", text, re.ASCII) else None
        except InvalidOperation:
            return None
        return number
    if type_name == "boolean":
        return _BOOLEANS.get(text)
    if type_name in _DATES:
        return _date(text, type_name)
    pattern = _PATTERNS.get(type_name)
    return text if pattern is None or pattern.fullmatch(text) else None


def _date(text: str, type_name: str) -> str | None:
    """A date keeps its precision; a dateTime gives its own day as it is written."""
    if type_name == "date" and len(text) > 10 and text[10] == "T":
        text = text[:10]
    return parser(None, type_name, None)(text) if "T" not in text or type_name == "date" else _moment(text, type_name)


def _moment(text: str, type_name: str) -> str | None:
    return text if parser(None, type_name, None)(text) is not None else None


def truncate(text: Any, length: Any) -> str | None:
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
        raise TransformFailed("FM450", function="truncate", what="a whole number of 0 or more as its length")
    return shown(primitive_of(text))[:length] or None


def append(*parts: Any) -> str | None:
    """All ``parts`` one behind the other, an absent one as nothing (HAPI writes `null`).

    Spec: FML, transforms, append.

    Example:
        >>> append("a", None, 5)
        'a5'
    """
    return "".join(shown(primitive_of(part)) for part in parts if part is not None) or None


def escape(text: Any, source: str, target: str = "plain") -> str | None:
    """``text`` unescaped from one format and escaped for another: plain, java, xml, html, json.

    Raises: ``TransformFailed`` FM450 for another format.
    Spec: FML, transforms, escape.

    Example:
        >>> escape("a &lt; b", "xml", "plain")
        'a < b'
    """
    if text is None:
        return None
    return _way(_ESCAPES, target)(_way(_UNESCAPES, source)(shown(primitive_of(text))))


def _way(ways: dict[str, Callable[[str], str]], name: str) -> Callable[[str], str]:
    if name not in ways:
        raise TransformFailed("FM450", function="escape", what=f"one of the formats {', '.join(sorted(ways))}")
    return ways[name]


def _json_unescape(text: str) -> str:
    try:
        found = json.loads(f'"{text}"')
    except ValueError:
        raise TransformFailed("FM450", function="escape", what="text escaped as its first format says") from None
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
