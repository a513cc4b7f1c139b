"""JSON of others: an object, or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["json_object"]

_LONGEST_NUMBER = 1000
"""Digits: Python makes no integer of more than a few thousand."""


def json_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object that ``body`` is, or an empty one. A whole number of more than a thousand digits is a text.

    Example:
        >>> json_object(b'{"a": 1}'), json_object(b"[1]"), json_object(b"<html>")
        ({'a': 1}, {}, {})
    """
    try:
        found = json.loads(body.decode("utf-8-sig"), parse_int=_whole_number)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits
