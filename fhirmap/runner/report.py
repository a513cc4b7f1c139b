"""What a run came to, as data: counts, reasons and records. `report_lines` and `report_file` show it.

No value of a patient is in any of them: records are named by their local key, or its hash (`texts.shown_keys`), faults
by rule and column, the receiver's words have the payload's values taken out. Reports may therefore be mailed; the
journal may not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from fhirmap.diagnostics import Diagnostic
from fhirmap.diagnostics.catalog import page
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
from fhirmap.runner.deliver import Delivery
from fhirmap.runner.done_files import MovedFiles
from fhirmap.runner.rule_words import RuleWords, worded
from fhirmap.runner.unmapped import UnmappedTable
from fhirmap.runner.verdict import note_reason
from fhirmap.sinks.shown_answer import QUOTING_IDENTIFIER
from fhirmap.texts import text
from fhirmap.texts.shown_keys import hide, shown_data

__all__ = [
    "KEYS_SHOWN",
    "FaultLine",
    "Report",
    "RunFacts",
    "SourceWarning",
    "Stop",
    "build_report",
    "code_text",
    "exit_code",
]

KEYS_SHOWN = 20
"""Keys that a line has of the records it is about."""
_RECORDS_SHOWN = 2000
_DAYS_SHOWN = 31
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

    @property
    def shown(self) -> str:
        """What is wrong, and the columns it is about."""
        return f"{self.words} ({', '.join(self.columns)})" if self.columns else self.words


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
class SourceWarning:
    """What the layout of the source says against the map, such as an attribute that no row has."""

    code: str
    position: str
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
    warnings: tuple[SourceWarning, ...] = ()
    moved: MovedFiles = field(default_factory=MovedFiles)
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
    maps lack, as the reading counted them. ``warnings``: what the source's layout says against the map. ``words``:
    those of the target's rules in the current language.
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
    warnings: tuple[Diagnostic, ...] = ()
    moved: MovedFiles = field(default_factory=MovedFiles)
    words: RuleWords = field(default_factory=dict)


def build_report(journal: Journal, ledger: Ledger, run: RunFacts) -> Report:
    """The report of the run that the journal is at, its keys and the words of others as they are shown."""
    hide(journal.unshown_identifiers(QUOTING_IDENTIFIER))
    found = _Findings(run)
    for answer in journal.needing_attention():
        found.add(answer)
    stopped = run.stopped
    report = Report(
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
        possible_duplicates=tuple(dict.fromkeys(answer.key for answer in journal.doubts())),
        withdrawn=tuple(journal.withdrawals()),
        held=journal.held_keys(KEYS_SHOWN),
        shared_identifiers=journal.shared_identifiers(of_this_run=True),
        unmapped=run.unmapped,
        warnings=tuple(_warning(entry) for entry in run.warnings),
        moved=run.moved,
        records=tuple(found.records),
        records_left_out=found.left_out,
        days=journal.days(_DAYS_SHOWN),
        to_check=found.notes.records,
        explained=found.out_of_scope.records,
        next_due=min((answer.not_before for answer in found.pending), default=None),
        stopped_by=Stop(stopped.code, stopped.message, stopped.hint_text) if stopped else None,
        interrupted=run.interrupted,
    )
    return shown_data(report)


def _warning(entry: Diagnostic) -> SourceWarning:
    return SourceWarning(entry.code, str(entry.args.get("position", "")), entry.message, entry.hint_text)


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
            if len(keys) < KEYS_SHOWN:
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
            said.append(code_text(answer.code))
        said += [_fault_line(fault).shown for fault in answer.faults]
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


def code_text(code: str) -> str:
    """A code in words where its arguments are not known any more: its message, its title where that has gaps."""
    template = page(code)
    return template.title if "{" in str(template.fields["message"]) else Diagnostic(code).message
