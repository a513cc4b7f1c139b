"""A run's report as lines for people."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fhirmap.diagnostics.render import folded
from fhirmap.journal import EntryState, Reason
from fhirmap.runner.receiver_lines import receiver_lines, shared_lines
from fhirmap.runner.report import FaultLine, Report, code_text
from fhirmap.runner.unmapped import unmapped_lines
from fhirmap.texts import first_names, text

__all__ = ["reason_text", "report_lines"]

_LINES_SHOWN = 6
_UNBROKEN = "\ue000"
"""A blank inside a command, which has to be on one line to be copied: a character that no text has."""
_WIDTH = 78
"""What a terminal of 80 columns has for a line: commands indent it by two."""


def report_lines(report: Report) -> list[str]:
    """The final table: the ledger, then one line a destination that needs somebody, with what to do next.

    Folded for terminals of 80 columns. The lines of a list add up to the number before them, or the first says how many
    reasons that many records have; where some are left out, the last says how many and where they are.
    """
    ledger = report.ledger
    lines = [*_accepted_lines(report)]
    lines += [_line("", reason.count, reason_text(reason)) for reason in report.looked_at]
    lines += _reason_lines("refused", ledger.refused, report.refused, "fhirmap status --refused")
    lines += _pending_lines(report)
    then = "fhirmap status --invalid" if report.run_id else ""  # a run without a journal has no number
    lines += _listed(_state("invalid"), ledger.invalid, report.invalid, ledger.invalid, then)
    lines += _listed(_state("out_of_scope"), ledger.out_of_scope, report.out_of_scope, report.explained)
    lines += _listed(text("run.words.to_look_at"), report.to_check, report.notes, report.to_check)
    if ledger.unchanged:
        lines.append(_line(_state("unchanged"), ledger.unchanged, text("run.lines.unchanged")))
    carried = sum(report.carried.values())
    if carried:
        lines.append(_line(text("run.words.earlier"), carried, text("run.lines.carried")))
    further = receiver_lines(report.withdrawn, report.held, ledger.held)
    lines += [_line(*line) if line[0] else _continued(line[2]) for line in further]
    lines += [_line(*line) for line in shared_lines(report.shared_identifiers)]
    lines += [*_doubt_lines(report), *_unmapped_lines(report), *_moved_lines(report), *_warning_lines(report)]
    equation = folded(ledger.equation(), _WIDTH)
    indent = _title_width() + 9
    table = [piece for line in lines for piece in folded(line, _WIDTH, indent)]
    ending = [piece for line in _end_lines(report) for piece in folded(line, _WIDTH)]
    return [line.replace(_UNBROKEN, " ") for line in (*equation, *table, *ending)]


def _accepted_lines(report: Report) -> list[str]:
    archived = _archived_text(report)
    return [*_archived_lines(report, archived), *_unwritten_lines(report)]


def _unwritten_lines(report: Report) -> list[str]:
    """Rows of the archive that could not be written, by reason."""
    keys: dict[tuple[str, str], list[str]] = {}
    for entry in report.archived.unwritten:
        keys.setdefault((entry.place, entry.reason), []).append(entry.key)
    lines = []
    for (place, reason), found in keys.items():
        words = text("run.lines.unwritten", place=place, reason=reason, keys=first_names(found))
        lines.append(_line(text("run.words.not_archived"), len(found), words))
    if report.archived.replaced:
        words = text("run.lines.replaced", count=report.archived.replaced)
        lines.append(_line(text("run.words.archived"), report.archived.replaced, words))
    return lines


def _archived_lines(report: Report, archived: str) -> list[str]:
    if report.ledger.accepted or report.carried.get(EntryState.ACCEPTED):
        return [_line(_state("accepted"), report.ledger.accepted, archived)]
    if report.archived.count:
        shown = text("run.lines.accepted_earlier", archived=archived)
        return [_line(text("run.words.archived"), report.archived.count, shown)]
    return []


def _listed(title: str, count: int, lines: Sequence[FaultLine], explained: int, then: str = "") -> list[str]:
    """``count`` records with the reasons there are for them. ``explained``: how many of them have any."""
    if not count:
        return []
    given = sum(line.count for line in lines)
    rows = [f"{line.count}x {line.shown}" for line in lines[:_LINES_SHOWN]]
    if given > explained:
        rows.insert(0, text("run.lines.reasons", reasons=given, count=explained))
    rest = lines[_LINES_SHOWN:]
    if rest:
        rows.append(text("run.lines.more", count=len(rest), sum=sum(line.count for line in rest)))
    if lines and count > explained:
        rows.append(text("run.lines.no_reason", count=count - explained))
    first, *others = rows or [""]
    return [_line(title, count, first, then), *(_continued(row) for row in others)]


def _doubt_lines(report: Report) -> list[str]:
    doubtful = report.possible_duplicates
    if not doubtful:
        return []
    words = text("run.lines.possible_duplicates", keys=first_names(doubtful))
    return [_line(text("run.words.in_doubt"), len(doubtful), words, "fhirmap status --in-doubt")]


def _unmapped_lines(report: Report) -> list[str]:
    lines = zip(report.unmapped, unmapped_lines(report.unmapped), strict=True)
    return [_line(text("run.words.codes"), table.count, line) for table, line in lines]


def _moved_lines(report: Report) -> list[str]:
    """Files whose records are settled, and those that stay."""
    moved = report.moved
    if not moved.folder:
        return []
    words = text("run.lines.moved", count=moved.count, folder=moved.folder)
    stay = text("run.lines.stay", count=moved.left)
    return [_line(text("run.words.moved"), moved.count, f"{words}; {stay}" if moved.left else words)]


def _warning_lines(report: Report) -> list[str]:
    """What the layout of the source says against the map: how many warnings, and each on a line of its own."""
    said = [
        text("run.lines.warning", code=entry.code, message=entry.message, hint=entry.hint) for entry in report.warnings
    ]
    if not said:
        return []
    return [_line(text("run.words.warnings"), len(said), said[0]), *map(_continued, said[1:])]


def _end_lines(report: Report) -> list[str]:
    lines = []
    if report.stopped_by is not None:
        stop = report.stopped_by
        lines.append(text("run.lines.stopped", code=stop.code, message=stop.message))
        lines.append(text("run.lines.hint", hint=stop.hint))
    if report.interrupted:
        lines.append(text("run.lines.interrupted"))
    return lines


def _state(state: str) -> str:
    return text(f"states.one.{state}")


def _line(title: str, count: int, words: str, then: str = "") -> str:
    line = f"{title:<{_title_width()}} {count:>5}   {words}".rstrip()
    return f"{line}   {f'-> {then}'.replace(' ', _UNBROKEN)}" if then else line


def _continued(words: str) -> str:
    """A further line of the same title."""
    return " " * (_title_width() + 9) + words


def _title_width() -> int:
    titles = [_state(state) for state in ("accepted", "refused", "invalid", "out_of_scope", "unchanged", "pending")]
    return max(len(title) for title in [*titles, text("run.words.to_look_at"), text("run.words.earlier")])


def _archived_text(report: Report) -> str:
    archived = report.archived
    if not archived.count:
        return ""
    places = ", ".join(archived.places)
    if not archived.first:
        return text("run.lines.archived_in", places=places)
    if archived.first == archived.last:
        return text("run.lines.archived_one", places=places, first=archived.first)
    last = _tail(archived.first, archived.last)
    return text("run.lines.archived_range", places=places, first=archived.first, last=last)


def _tail(first: str, last: str) -> str:
    """What ``last`` does not share with ``first``, from the beginning of its number."""
    match = re.search(r"\d+$", last)
    return last[match.start() :] if match and first.startswith(last[: match.start()]) else last


def reason_text(reason: Reason) -> str:
    """What an answer says, with its status."""
    not_answered = "on_its_way" if reason.state == EntryState.SENDING else "not_sent_yet"
    words = reason.words or (code_text(reason.code) if reason.code else text(f"run.lines.{not_answered}"))
    return text("run.lines.answered", status=reason.status, words=words) if reason.status else words


def _reason_lines(state: str, total: int, reasons: Sequence[Reason], then: str) -> list[str]:
    lines = []
    for number, reason in enumerate(reasons):
        title = _state(state) if number == 0 else ""
        lines.append(_line(title, reason.count, reason_text(reason), then if number == 0 else ""))
    return lines or ([_line(_state(state), total, "", then)] if total else [])


def _pending_lines(report: Report) -> list[str]:
    lines = _reason_lines("pending", report.ledger.pending, report.pending, "fhirmap run")
    wait_s = (report.next_due or 0.0) - report.finished_at
    if lines and wait_s > 1:
        lines.append(_continued(text("run.lines.next_try", time=_duration(wait_s))))
    return lines


def _duration(seconds: float) -> str:
    if seconds < 90:
        return text("run.lines.seconds", count=round(seconds))
    return text("run.lines.minutes", count=round(seconds / 60))
