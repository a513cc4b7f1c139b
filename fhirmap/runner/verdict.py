"""What becomes of one record, and why: the one place where `preview` and `run` alike get their verdicts.

Without the journal, so that `check` and `preview` load none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import PurePath
from typing import Any, NamedTuple

from fhirmap.records import Fault, Note, Record, Result

__all__ = ["Classified", "Transform", "Verdict", "classify", "mapped", "note_reason", "reason"]

Transform = Callable[[Mapping[str, Any]], Result]
"""A `Transformer`: a record's values in, a result out."""


_WHOLE = ("line", "record", "file")
"""Rules of the faults of a record as a whole."""
_OF_CELLS = ("lines", "cell", "text")
"""Rules of the faults of a source's cells that hold something, of which nothing was read."""


class Verdict(StrEnum):
    """What becomes of a record."""

    SENDABLE = "sendable"
    NOTED = "sendable-with-notes"
    INVALID = "invalid"
    OUT_OF_SCOPE = "out-of-scope"
    SUPERSEDED = "superseded"


class Classified(NamedTuple):
    """What becomes of a record, and why. ``reasons``: stable words, each once: a rule's key or name, `required:lot`."""

    verdict: Verdict
    reasons: tuple[str, ...]


_SENDABLE = Classified(Verdict.SENDABLE, ())


def mapped(record: Record, transform: Transform) -> Result:
    """The transformer's result with the source's own faults of the record in front.

    Of a line that could not be cut, an entry that is no JSON or a file that cannot be read, nothing was read: that is
    said, and not once more of each element. Nor is a cell called empty that has a fault of its own.
    """
    result = transform(record.values)
    if not record.faults:
        return result
    if any(fault.rule in _WHOLE for fault in record.faults) and not any(record.values.values()):
        return replace(result, faults=record.faults)
    faulty = (fault for fault in record.faults if fault.rule in _OF_CELLS and fault.severity == "error")
    unread = {column for fault in faulty for column in fault.columns}
    found = (fault for fault in result.faults if fault.code != "FM411" or unread.isdisjoint(fault.columns))
    return replace(result, faults=(*record.faults, *found))


def classify(record: Record, result: Result, rules: Mapping[str, str] | None = None) -> Classified:
    """The verdict of a record, here and nowhere else.

    A revision that is not the last is superseded, whatever it says. Where the source itself is in doubt (a line of
    moved fields, a key that occurs twice), or a cell that a rule asks for cannot be read, the record is invalid, since
    not even its scope is known. Otherwise it is out of scope where no rule wrote anything. ``result`` may hold the
    source's faults (`mapped`) or not. ``rules``: names of rules by ``file:line``, for reasons that a person recognises.
    """
    names = rules or {}
    if not (record.faults or result.faults or result.notes or record.superseded) and result.resource is not None:
        return _SENDABLE  # what nearly every record is
    has_sources_faults = result.faults[: len(record.faults)] == record.faults
    faults = result.faults if has_sources_faults else (*record.faults, *result.faults)
    errors = [reason(fault, names) for fault in faults if fault.severity == "error"]
    mild = [reason(fault, names) for fault in faults if fault.severity == "warning"]
    mild += [note_reason(note, names) for note in result.notes]
    if record.superseded:
        return Classified(Verdict.SUPERSEDED, _once(errors))
    if result.resource is None and not errors:
        return Classified(Verdict.OUT_OF_SCOPE, _once(mild))
    if errors:
        return Classified(Verdict.INVALID, _once([*errors, *mild]))
    return Classified(Verdict.NOTED if mild else Verdict.SENDABLE, _once(mild))


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def reason(fault: Fault, rules: Mapping[str, str] | None = None) -> str:
    """A fault in one stable word: the rule's key where it has one of its own, else the kind of check and the element.

    Example:
        >>> reason(Fault("FM411", rule="required", element="Operation.poses.lot"))
        'required:lot'
    """
    if fault.rule in ("", "rule"):
        place = _place(fault.position, rules or {})
        return f"{fault.code}:{place}" if place else fault.code
    if fault.code in ("FM520", "FM521") or not (fault.element or fault.columns):
        return fault.rule
    if not fault.element:
        return f"{fault.rule}:{'+'.join(fault.columns)}"
    steps = [step for step in fault.element.split(".") if step != "value[x]"]
    return f"{fault.rule}:{steps[-1].rpartition(':')[2]}"


def note_reason(note: Note, rules: Mapping[str, str] | None = None) -> str:
    """A note in one word: its rule's name, else its place. Its text may quote the record: it stays where that may."""
    return _place(note.position, rules or {}) or "note"


def _place(position: str, rules: Mapping[str, str]) -> str:
    """The name of the rule at ``file:line:col``, else `file:line` without folders."""
    parts = position.rsplit(":", 2)
    if len(parts) != 3:
        return ""
    return rules.get(f"{parts[0]}:{parts[1]}") or f"{PurePath(parts[0]).name}:{parts[1]}"
