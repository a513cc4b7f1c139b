"""What a report says of records that the receiver holds: withdrawn, held back, with one identifier for several."""

from __future__ import annotations

from collections.abc import Sequence

from fhirmap.journal import SharedIdentifier, Withdrawal, WithdrawalCause
from fhirmap.texts import first_names, text

__all__ = ["Line", "cause_text", "receiver_lines", "shared_lines", "withdrawal_text"]

Line = tuple[str, int, str, str]
"""Title, how many, words, the command to go on with; no title where a line goes on with the one above."""

_SHOWN = 6


def receiver_lines(withdrawn: Sequence[Withdrawal], held: Sequence[str], held_count: int) -> list[Line]:
    """The withdrawn records, those of this run first, and those that are held back."""
    lines: list[Line] = []
    in_order = sorted(withdrawn, key=lambda entry: not entry.is_new)
    if withdrawn:
        new = sum(entry.is_new for entry in withdrawn)
        title, command = text("states.one.withdrawn"), "fhirmap status --withdrawn"
        lines.append((title, len(withdrawn), text("run.lines.withdrawn", count=new), command))
    lines += [
        ("", 0, text("run.lines.of_key", key=entry.key, words=withdrawal_text(entry)), "")
        for entry in in_order[:_SHOWN]
    ]
    if len(in_order) > _SHOWN:
        lines.append(("", 0, text("run.lines.more_withdrawn", count=len(in_order) - _SHOWN), ""))
    if held_count:
        words = text("run.lines.held", keys=first_names(held, held_count))
        lines.append((text("states.one.held"), held_count, words, "fhirmap run --resend"))
    return lines


def shared_lines(shared: Sequence[SharedIdentifier]) -> list[Line]:
    """Each identifier that several records have."""
    title = text("run.words.one_identifier")
    return [
        (title, len(entry.keys), text("run.lines.shared", identifier=entry.value, keys=", ".join(entry.keys)), "")
        for entry in shared
    ]


def withdrawal_text(entry: Withdrawal) -> str:
    """Why, and under which identifiers the receiver has it."""
    cause = cause_text(entry)
    if not entry.identifiers:
        return text("run.withdrawn.without_identifier", cause=cause)
    return text("run.withdrawn.identified", cause=cause, identifiers=", ".join(one.value for one in entry.identifiers))


def cause_text(entry: Withdrawal) -> str:
    """Why it was withdrawn, and whether by the map."""
    cause = text(f"run.withdrawn.{WithdrawalCause(entry.cause).value}")
    return text("run.withdrawn.by_map", cause=cause) if entry.by_map else cause
