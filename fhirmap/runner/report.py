"""What a run came to: counts and reasons as data, as lines for people, as JSON, and as a page that can be kept.

No value of a patient is in any of them: records are named by their local key, faults by rule and column, the
receiver's words have the payload's values taken out. Reports may therefore be mailed; the journal may not.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhirmap.diagnostics import Diagnostic
from fhirmap.diagnostics.catalog import page
from fhirmap.diagnostics.render import folded
from fhirmap.journal import (
    PENDING,
    DayCounts,
    EntryState,
    Journal,
    Ledger,
    Reason,
    RecordedAnswer,
    SharedIdentifier,
    Withdrawal,
    grouped_reasons,
)
from fhirmap.records import Fault, Note
from fhirmap.runner.archive import Archived
from fhirmap.runner.atomic_file import write_atomically
from fhirmap.runner.deliver import Delivery
from fhirmap.runner.receiver_lines import receiver_lines, shared_lines, withdrawal_text
from fhirmap.runner.rule_words import RuleWords, worded
from fhirmap.runner.unmapped import UnmappedTable, unmapped_lines
from fhirmap.runner.verdict import note_reason
from fhirmap.texts import language, text

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["FaultLine", "Report", "Stop", "build_report", "exit_code", "report_lines", "write_report"]

_KEYS_SHOWN = 20
_LINES_SHOWN = 6
_NAMES_SHOWN = 6
_RECORDS_SHOWN = 2000
_DAYS_SHOWN = 31
_UNBROKEN = "\ue000"
"""A blank inside a command, which has to be on one line to be copied: a character that no text has."""
_WIDTH = 78
"""What a terminal of 80 columns has for a line: commands indent it by two."""
_CHARTED = ("accepted", "refused", "invalid", "out_of_scope", "unchanged", "pending")
_SENT = PENDING | {EntryState.ACCEPTED, EntryState.REFUSED}


@dataclass(frozen=True, slots=True)
class FaultLine:
    """Records that share a fault: what is wrong, by which rule of the map, from which columns, which records."""

    count: int
    code: str
    text: str
    rule: str = ""
    position: str = ""
    columns: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    variant: str = ""
    args: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> str:
        """What is wrong, in the current language; ``text`` has it in that of the run."""
        if not self.code:
            return self.text
        return Diagnostic(self.code, args=dict(self.args), variant=self.variant).message


@dataclass(frozen=True, slots=True)
class ReportedRecord:
    """A record that somebody should look at: its state, and all that there is to say of it, in words."""

    key: str
    state: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run ended before its work was done."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Report:
    """One run. Times in seconds since the epoch; keys are those of the hospital's own records."""

    project: str
    target: str
    sink: str
    run_id: int
    started_at: float
    finished_at: float
    ledger: Ledger
    exit_code: int
    carried: dict[str, int] = field(default_factory=dict)
    archived: Archived = field(default_factory=Archived)
    refused: tuple[Reason, ...] = ()
    pending: tuple[Reason, ...] = ()
    looked_at: tuple[Reason, ...] = ()
    invalid: tuple[FaultLine, ...] = ()
    notes: tuple[FaultLine, ...] = ()
    out_of_scope: tuple[FaultLine, ...] = ()
    possible_duplicates: tuple[str, ...] = ()
    withdrawn: tuple[Withdrawal, ...] = ()
    held: tuple[str, ...] = ()
    shared_identifiers: tuple[SharedIdentifier, ...] = ()
    unmapped: tuple[UnmappedTable, ...] = ()
    to_check: int = 0
    """Records of ``notes``; those of ``out_of_scope`` are ``explained``. One record may have several."""
    explained: int = 0
    records: tuple[ReportedRecord, ...] = ()
    records_left_out: int = 0
    days: tuple[DayCounts, ...] = ()
    next_due: float | None = None
    stopped_by: Stop | None = None
    interrupted: bool = False


def exit_code(ledger: Ledger, delivery: Delivery, stopped: Diagnostic | None, *, is_attended: bool = True) -> int:
    """0 done, 1 something invalid or refused, 3 the sink cannot be reached or used, 130 interrupted. ``is_attended``:
    there is nothing else for somebody to look at, such as a withdrawal."""
    if delivery.interrupted:
        return 130
    if stopped is not None:
        return 3
    return 1 if ledger.invalid or ledger.refused or not is_attended else 0


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run knows of itself when it ends.

    Units: ``started_at`` and ``finished_at`` are seconds since the epoch (UTC). ``rules``: names of the maps' rules by
    ``file:line``, for notes; ``note_words``: what notes say, by ``file:line:col``. ``unmapped``: codes that concept
    maps lack, as the reading counted them. ``words``: those of the target's rules in the current language.
    """

    project: str
    target: str
    sink: str
    started_at: float
    finished_at: float
    exit_code: int
    run_id: int = 0
    archived: Archived = field(default_factory=Archived)
    stopped: Diagnostic | None = None
    interrupted: bool = False
    rules: Mapping[str, str] = field(default_factory=dict)
    note_words: Mapping[str, str] = field(default_factory=dict)
    unmapped: tuple[UnmappedTable, ...] = ()
    words: RuleWords = field(default_factory=dict)


def build_report(journal: Journal, ledger: Ledger, run: RunFacts) -> Report:
    """The report of the run that the journal is at."""
    found = _Findings(run)
    for answer in journal.needing_attention():
        found.add(answer)
    stopped = run.stopped
    return Report(
        project=run.project,
        target=run.target,
        sink=run.sink,
        run_id=run.run_id,
        started_at=run.started_at,
        finished_at=run.finished_at,
        ledger=ledger,
        exit_code=run.exit_code,
        carried={state.value: count for state, count in journal.carried().items()},
        archived=run.archived,
        refused=grouped_reasons(found.refused),
        pending=grouped_reasons(found.pending),
        looked_at=grouped_reasons(found.looked_at),
        invalid=found.invalid.lines(),
        notes=found.notes.lines(),
        out_of_scope=found.out_of_scope.lines(),
        possible_duplicates=tuple(answer.key for answer in journal.status().possible_duplicates),
        withdrawn=tuple(journal.withdrawals()),
        held=journal.held_keys(_KEYS_SHOWN),
        shared_identifiers=journal.shared_identifiers(of_this_run=True),
        unmapped=run.unmapped,
        records=tuple(found.records),
        records_left_out=found.left_out,
        days=journal.days(_DAYS_SHOWN),
        to_check=found.notes.records,
        explained=found.out_of_scope.records,
        next_due=min((answer.not_before for answer in found.pending), default=None),
        stopped_by=Stop(stopped.code, stopped.message, stopped.hint_text) if stopped else None,
        interrupted=run.interrupted,
    )


class _Lines:
    """Records counted by what there is to say of them; of each, the first few keys."""

    def __init__(self) -> None:
        self._counts: Counter[FaultLine] = Counter()
        self._keys: dict[FaultLine, list[str]] = {}
        self.records = 0
        """Records that have a line."""

    def add(self, key: str, lines: Iterable[FaultLine]) -> None:
        """One record, once for each of its distinct lines."""
        found = dict.fromkeys(lines)
        self.records += bool(found)
        for line in found:
            self._counts[line] += 1
            keys = self._keys.setdefault(line, [])
            if len(keys) < _KEYS_SHOWN:
                keys.append(key)

    def lines(self) -> tuple[FaultLine, ...]:
        """The most frequent first."""
        found = [replace(line, count=count, keys=tuple(self._keys[line])) for line, count in self._counts.items()]
        return tuple(sorted(found, key=lambda line: (-line.count, line.code, line.text)))


class _Findings:
    """The answers of a run, sorted as they come: what is kept does not grow with the records that went well."""

    def __init__(self, run: RunFacts) -> None:
        self.refused: list[RecordedAnswer] = []
        self.pending: list[RecordedAnswer] = []
        self.looked_at: list[RecordedAnswer] = []
        self.invalid, self.notes, self.out_of_scope = _Lines(), _Lines(), _Lines()
        self.records: list[ReportedRecord] = []
        self.left_out = 0
        self._rules = run.rules
        self._note_words = run.note_words
        self._words = run.words

    def add(self, recorded: RecordedAnswer) -> None:
        """One record and what became of it. What an earlier run of another language has said is said in this one's."""
        answer = replace(recorded, faults=tuple(worded(fault, self._words) for fault in recorded.faults))
        self._record(answer)
        if answer.state == EntryState.INVALID:
            errors = [_fault_line(fault) for fault in answer.faults if fault.severity == "error"]
            self.invalid.add(answer.key, errors or [FaultLine(0, "", text("run.lines.invalid"))])
        elif answer.state == EntryState.OUT_OF_SCOPE:
            self.out_of_scope.add(answer.key, self._remarks(answer))
        elif answer.state in _SENT:
            self.notes.add(answer.key, self._remarks(answer))
        if answer.state in PENDING:
            self.pending.append(answer)
        elif answer.was_settled and answer.state == EntryState.REFUSED:
            self.refused.append(answer)
        elif answer.was_settled and answer.state == EntryState.ACCEPTED and answer.code:
            self.looked_at.append(answer)

    def _record(self, answer: RecordedAnswer) -> None:
        if len(self.records) >= _RECORDS_SHOWN:
            self.left_out += 1
            return
        # What the receiver merely adds to an answer comes last: it is not why somebody should look.
        added = [issue for issue in answer.issues if issue.severity == "information"]
        said = [issue.diagnostics or issue.code for issue in answer.issues if issue not in added]
        if answer.code and not answer.issues:
            said.append(_code_text(answer.code))
        said += [_fault_text(_fault_line(fault)) for fault in answer.faults]
        said += [self._said(note, answer.was_read)[0] for note in answer.notes]
        said += [issue.diagnostics or issue.code for issue in added]
        self.records.append(ReportedRecord(answer.key, answer.state.value, tuple(dict.fromkeys(said))))

    def _said(self, note: Note, was_read: bool) -> tuple[str, str]:
        """The words of a note and its rule. A note may be made of the record's values: what the map says for every
        record is shown. What an earlier run has noted may be at another line of this map, or nowhere.
        """
        if not was_read:
            return text("run.lines.earlier_note"), ""
        rule = note_reason(note, self._rules)
        return self._note_words.get(note.position) or rule, rule

    def _remarks(self, answer: RecordedAnswer) -> Iterator[FaultLine]:
        for note in answer.notes:
            words, rule = self._said(note, answer.was_read)
            yield FaultLine(0, "", words, rule, note.position)
        for fault in answer.faults:
            if fault.severity != "error":
                yield _fault_line(fault)


def _fault_line(fault: Fault) -> FaultLine:
    message = Diagnostic(fault.code, args=fault.args, variant=fault.variant).message
    args = tuple((name, str(value)) for name, value in fault.args.items())
    return FaultLine(
        0,
        fault.code,
        message,
        fault.rule,
        fault.position,
        tuple(fault.columns),
        variant=fault.variant,
        args=args,
    )


# ---- for people --------------------------------------------------------------------------------------------


def report_lines(report: Report) -> list[str]:
    """The final table: the ledger, then one line a destination that needs somebody, with what to do next.

    Folded for terminals of 80 columns. The lines of a list add up to the number before them, or the first says how many
    reasons that many records have; where some are left out, the last says how many and where they are.
    """
    ledger = report.ledger
    lines = [*_accepted_lines(report)]
    lines += [_line("", reason.count, _reason_text(reason)) for reason in report.looked_at]
    lines += _reason_lines("refused", ledger.refused, report.refused, "fhirmap status --refused")
    lines += _pending_lines(report)
    lines += _listed(_state("invalid"), ledger.invalid, report.invalid, ledger.invalid, "fhirmap status --invalid")
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
    lines += [*_doubt_lines(report), *_unmapped_lines(report)]
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
        shown = ", ".join(found[:_LINES_SHOWN]) + (", …" if len(found) > _LINES_SHOWN else "")
        words = text("run.lines.unwritten", place=place, reason=reason, keys=shown)
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
    rows = [f"{line.count}x {_fault_text(line)}" for line in lines[:_LINES_SHOWN]]
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
    keys = _names(doubtful, len(doubtful))
    return [_line(text("run.words.in_doubt"), len(doubtful), text("run.lines.possible_duplicates", keys=keys))]


def _unmapped_lines(report: Report) -> list[str]:
    lines = zip(report.unmapped, unmapped_lines(report.unmapped), strict=True)
    return [_line(text("run.words.codes"), table.count, line) for table, line in lines]


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


def _names(names: Sequence[str], count: int) -> str:
    """The first of ``count`` names, and how many more there are."""
    shown = names[:_NAMES_SHOWN]
    listed = ", ".join(shown)
    return text("lists.names_and_more", names=listed, count=count - len(shown)) if count > len(shown) else listed


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


def _reason_text(reason: Reason) -> str:
    words = reason.words or (_code_text(reason.code) if reason.code else text("run.lines.not_sent_yet"))
    return text("run.lines.answered", status=reason.status, words=words) if reason.status else words


def _code_text(code: str) -> str:
    """A code in words where its arguments are not known any more: its message, its title where that has gaps."""
    template = page(code)
    return template.title if "{" in str(template.fields["message"]) else Diagnostic(code).message


def _reason_lines(state: str, total: int, reasons: Sequence[Reason], then: str) -> list[str]:
    lines = []
    for number, reason in enumerate(reasons):
        title = _state(state) if number == 0 else ""
        lines.append(_line(title, reason.count, _reason_text(reason), then if number == 0 else ""))
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


def _fault_text(line: FaultLine) -> str:
    return f"{line.words} ({', '.join(line.columns)})" if line.columns else line.words


# ---- to keep -----------------------------------------------------------------------------------------------


def report_to_data(report: Report) -> dict[str, Any]:
    """The report as JSON values, with the equation and the lines for people as text."""
    ledger = report.ledger
    shown = {"equation": ledger.equation(), "balanced": ledger.balanced, "lines": report_lines(report)}
    return {**asdict(report), **shown}


def report_from_data(data: Mapping[str, Any], words: RuleWords) -> Report:
    """The report that `report_to_data` wrote, to be shown again; ``words``: those of the target's rules, if it has any
    in the current language."""
    import msgspec

    report = msgspec.convert(data, Report)
    return replace(
        report,
        invalid=tuple(_reworded(line, words) for line in report.invalid),
        notes=tuple(_reworded(line, words) for line in report.notes),
        out_of_scope=tuple(_reworded(line, words) for line in report.out_of_scope),
    )


def _reworded(line: FaultLine, words: RuleWords) -> FaultLine:
    shown = worded(Fault(line.code, rule=line.rule, args=dict(line.args), variant=line.variant), words)
    return replace(line, args=tuple((name, str(value)) for name, value in shown.args.items()))


def report_to_html(report: Report) -> str:
    """The report as one page that needs nothing else."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("fhirmap.runner"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["moment"] = _moment
    environment.filters["reason"] = _reason_text
    environment.filters["marked"] = _marked
    script = environment.get_template("report.js").render().strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.filters["withdrawal"] = withdrawal_text
    return environment.get_template("report.html.j2").render(
        report=report,
        rows=_bars(report),
        links=_links(report),
        known={record.key: number for number, record in enumerate(report.records)},
        shown_states=tuple(dict.fromkeys(state for day in report.days for state in day.states)),
        listed_states=tuple(dict.fromkeys(record.state for record in report.records)),
        script=Markup(script),
        digest=digest,
        states=Counter(report.carried),
        equation=report.ledger.equation(),
        text=text,
        language=language(),
    )


def _links(report: Report) -> list[tuple[str, str]]:
    """The lists that the page has: place and title."""
    lists = {
        "withdrawn": report.withdrawn,
        "shared": report.shared_identifiers,
        "held": report.held,
        "refused": report.refused,
        "pending": report.pending,
        "invalid": report.invalid,
        "notes": report.notes,
        "out_of_scope": report.out_of_scope,
        "looked_at": report.looked_at,
        "unmapped": report.unmapped,
        "duplicates": report.possible_duplicates,
        "not_archived": report.archived.unwritten,
    }
    return [(name, text(f"run.page.links.{name}")) for name, rows in lists.items() if rows]


def _marked(words: str) -> Markup:
    """Text for the page, what is between backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(words))))


def _bars(report: Report) -> list[tuple[str, int]]:
    """State and count of what the run read, for the chart."""
    ledger = report.ledger
    return [(state, count) for state in _CHARTED if (count := getattr(ledger, state))]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def write_report(report: Report, folder: Path) -> Path:
    """Writes ``<start>.html`` and ``<start>.json`` into ``folder``; the page's path.

    Raises: OSError where the folder cannot be written.
    """
    import json

    name = datetime.fromtimestamp(report.started_at).strftime("%Y-%m-%dT%H%M%S")
    page = folder / f"{name}.html"
    write_atomically(page, report_to_html(report).encode())
    content = json.dumps(report_to_data(report), ensure_ascii=False, indent=2)
    write_atomically(page.with_suffix(".json"), content.encode())
    return page
