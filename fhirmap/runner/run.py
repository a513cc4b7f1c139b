"""The main job: source to journal, journal to sink, identifiers back, report. One run of one project."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import JournalError
from fhirmap.events import IdentifiersArchived, RunEnded, RunStarted, RunStopped, SourceRead, Warned, emit
from fhirmap.journal import Journal, Ledger, Migration
from fhirmap.records import UncertainPolicy
from fhirmap.runner.archive import Archive, Archived, archive, open_archives
from fhirmap.runner.deliver import Clock, Delivery, DeliveryProgress, SystemClock, deliver
from fhirmap.runner.done_files import MovedFiles, move_done
from fhirmap.runner.encryption_keys import encryption_keys
from fhirmap.runner.engine import Engine
from fhirmap.runner.ingest import Ingested, ingest, maker_of
from fhirmap.runner.known_elsewhere import sent_elsewhere
from fhirmap.runner.personal_keys import KeyWatch
from fhirmap.runner.project import Project
from fhirmap.runner.report import Report, RunFacts, build_report, exit_code
from fhirmap.runner.report_file import write_report
from fhirmap.runner.same_records import note_records, require_same_records
from fhirmap.runner.since_last import SourceReading, source_reading
from fhirmap.runner.source import open_project_source, require_other_place
from fhirmap.runner.unmapped import UnmappedTable
from fhirmap.sinks import AuthenticatedSink, ClientCredentials, Sink, SinkSettings, open_sink
from fhirmap.sources import Source
from fhirmap.sources.readings import NOTHING, PartialSource, Unread
from fhirmap.texts import first_names
from fhirmap.version import __version__

__all__ = [
    "RunOutcome",
    "has_journal",
    "look_into_journal",
    "migrated",
    "open_journal",
    "run",
    "shrunk",
    "simulated",
    "unread",
]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run came to. ``page``: the report's HTML, its JSON beside it; ``None`` where it could not be written."""

    report: Report
    page: Path | None

    @property
    def exit_code(self) -> int:
        """0 done, 1 something invalid or refused, 3 the sink or the archive cannot be used, 130 interrupted."""
        return self.report.exit_code


def open_journal(project: Project, *, exclusive: bool = False, create: bool = True) -> Journal:
    """The project's journal. ``exclusive``: for a run.

    Raises: JournalError FM800-FM807.
    """
    settings = project.journal
    return Journal.open(
        settings.url.reveal() if settings.url else settings.path,
        project.journal_name,
        project.target_name,
        exclusive=exclusive,
        create=create,
        uncertain=project.limits.uncertain,
        audit_key=settings.audit_bytes,
        encryption_keys=encryption_keys(settings),
    )


def look_into_journal(project: Project) -> Journal | None:
    """The project's journal to be read only: nothing is created, written or locked. None before the first run.

    Raises: JournalError FM800-FM807.
    """
    settings = project.journal
    place = settings.url.reveal() if settings.url else settings.path
    return Journal.look(
        place,
        project.journal_name,
        project.target_name,
        audit_key=settings.audit_bytes,
        encryption_keys=encryption_keys(settings),
    )


def has_journal(project: Project) -> bool:
    """Is there a journal to look into? A file is made by the first run."""
    return project.journal.url is not None or project.journal.path.exists()


def simulated(  # noqa: PLR0913 - named settings
    settings: SinkSettings, *, url: str, token_url: str, client_id: str, client_secret: str, scope: str = "implant"
) -> SinkSettings:
    """The settings with a simulator's addresses in place of "simulator", and its client where the project has none. No
    proxy leads to a simulator."""
    own = settings.credentials
    credentials = (
        replace(own, token_url=token_url)
        if own is not None
        else ClientCredentials(token_url, client_id, client_secret, scope=scope)
    )
    return replace(settings, url=url, credentials=credentials, transport=replace(settings.transport, proxy=None))


def run(  # noqa: PLR0913 - named settings
    engine: Engine,
    *,
    settings: SinkSettings | None = None,
    reading: Callable[[int], None] | None = None,
    sending: Callable[[DeliveryProgress], None] | None = None,
    clock: Clock | None = None,
    reports: Path | None = None,
    resend: bool = False,
    full: bool = False,
    workers: int = 1,
) -> RunOutcome:
    """Runs a project once. Nothing is read before the sink's settings and the source's layout are found sound.

    ``settings``: the sink's, where they are not the project's own (see `simulated`). ``reading`` is called with the
    number of records read, ``sending`` with the progress of the delivery. ``reports``: the folder to write to,
    ``reports`` in the project's. ``resend``: what was accepted and only the map, the target or the version makes
    different is sent again, and so is what came back after its withdrawal was acknowledged. ``full``: everything is
    read, not only what has changed since the last reading; ``resend`` does, too. ``workers``: how many processes map
    the records, this one where it is 1.

    Raises: ConfigError, ProjectError (project, source, workers), JournalError, InternalError FM910 (the ledger does not
    balance).
    """
    clock = clock or SystemClock()
    project = engine.project
    project.require_environment()
    with ExitStack() as stack:
        warnings: list[Diagnostic] = []
        source = stack.enter_context(open_project_source(project, engine.plan, warnings.append))
        archives = open_archives(project)
        _check(archives)
        settings = settings or project.sink_settings()
        require_other_place(project, engine.plan, settings.path)
        sink = open_sink(replace(settings, identifiers_of=engine.identifiers_of))
        stack.callback(sink.close)
        journal = stack.enter_context(open_journal(project, exclusive=True))
        if journal.migration is not None:
            warnings.append(migrated(journal.migration))
        require_same_records(project, engine.plan, journal, source.records, resend=resend)
        # As long as a call may take, one that a killed run had begun may still be under way at the receiver.
        quarantine_s = settings.transport.timeout_s if sink.is_remote else 0.0
        work = _Run(engine, sink, journal, archives, clock, resend, tuple(warnings), quarantine_s)
        note_records(project, engine.plan, journal)
        try:
            watch = KeyWatch(engine.plan)
            with source_reading(engine, source, journal, is_whole=full or resend) as found:
                ingested = ingest(
                    watch.records(found.records),
                    maker_of(engine),
                    journal,
                    progress=reading,
                    workers=workers,
                    checkpoints=found.checkpoints,
                )
            work.note_reading(ingested, watch)
            stopped = work.close_reading(ingested.declared, found if found.is_partial else unread(source))
            stopped = stopped or work.sent_elsewhere()
        except KeyboardInterrupt:
            report = work.finish(None, Delivery(interrupted=True))
        else:
            delivery = Delivery(stopped_by=stopped)
            if stopped is None:
                delivery = deliver(
                    journal,
                    sink,
                    project.limits,
                    clock=clock,
                    progress=sending,
                    lineage=engine.origin_of,
                    quarantine_s=quarantine_s,
                )
            report = work.finish(ingested.read, delivery, ingested.unmapped.tables(), source)
    page = None
    with suppress(OSError):  # a report that cannot be written does not undo the run; its lines are shown all the same
        page = write_report(report, reports or project.folder / "reports")
    return RunOutcome(report, page)


def migrated(migration: Migration) -> Diagnostic:
    """FM810: what opening a journal changed."""
    copy = str(migration.copy) if migration.copy else ""
    return Diagnostic("FM810", args={"found": migration.found, "made": migration.made, "copy": copy})


def _check(archives: list[Archive]) -> None:
    """Finds a table that is not there or lacks a column before anything is sent. One that is only out of reach now may
    be there by the end."""
    for place in archives:
        with suppress(JournalError):
            place.check()


def shrunk(project: Project, journal: Journal, read: int) -> Diagnostic | None:
    """FM665 where a complete reading holds far fewer records than the last one did: then nothing may be sent, and
    nothing is gone."""
    last = journal.last_complete() if project.source.is_complete else None
    if last is None or read >= last * project.source.least_share:
        return None
    share = f"{project.source.least_share:g}"
    return Diagnostic("FM665", args={"read": read, "last": last, "share": share})


def unread(source: Source) -> Unread:
    """What the last reading of a source left out: then it says nothing of records that it does not hold."""
    return source.unread() if isinstance(source, PartialSource) else NOTHING


class _Run:
    """One run in the journal, from its beginning to its report."""

    def __init__(  # noqa: PLR0913 - what `run` opened
        self,
        engine: Engine,
        sink: Sink,
        journal: Journal,
        archives: list[Archive],
        clock: Clock,
        resend: bool,
        warnings: tuple[Diagnostic, ...],
        quarantine_s: float,
    ) -> None:
        self._warnings = warnings
        self._engine = engine
        self._sink = sink
        self._journal = journal
        self._archives = archives
        self._clock = clock
        self._started_at = clock.now()
        project = engine.project
        resend = resend or project.limits.map_changes is UncertainPolicy.RESEND
        self._run_id = journal.start_run(
            engine.digest,
            source=project.source_name(engine.plan.source),
            resend=resend,
            places=[project.source_address(engine.plan.source).shown],
        )
        emit(
            RunStarted(
                self._run_id, project.name, project.target_name, sink.name, engine.digest, __version__, os.getpid()
            )
        )
        journal.recover(quarantine_s)

    def note_reading(self, ingested: Ingested, watch: KeyWatch) -> None:
        """The source was read to its end."""
        self._warnings += tuple(watch.diagnostics())
        verdicts = {str(verdict): count for verdict, count in ingested.verdicts.items()}
        emit(SourceRead(ingested.read, ingested.kept, verdicts, self._clock.now() - self._started_at))

    def close_reading(self, read: int, left_out: Unread | SourceReading) -> Diagnostic | None:
        """What the end of the source says of the records that it does not hold: nothing where something was
        ``left_out``, or only what has changed was read. Or why nothing may be sent."""
        project = self._engine.project
        stopped = None if isinstance(left_out, SourceReading) else shrunk(project, self._journal, read)
        if project.source.is_complete:
            if left_out:
                self._warnings += (left_out.diagnostic(),)
            elif stopped is None:
                self._journal.close_reading(read)
        return stopped

    def sent_elsewhere(self) -> Diagnostic | None:
        """Why nothing may be sent: the receiver may have it from a run that this journal does not know."""
        try:
            return sent_elsewhere(self._journal, self._archives)
        except JournalError as error:
            if error.code != "FM808":
                raise
            doubt = self._journal.doubt()
            self._warnings += (Diagnostic("FM813", args=error.diagnostic().args),)
            return None if doubt is None else sent_elsewhere(self._journal, [])

    def finish(
        self,
        read: int | None,
        delivery: Delivery,
        unmapped: tuple[UnmappedTable, ...] = (),
        source: Source | None = None,
    ) -> Report:
        """Writes back, closes the ledger, moves the files that are done, and makes the report.

        ``source``: None where it was not read to its end.
        """
        if isinstance(self._sink, AuthenticatedSink):
            self._journal.note_tokens(self._sink.tokens_fetched)
        stopped = delivery.stopped_by
        archived, problem = self._archive()
        stopped = stopped or problem
        ledger = self._journal.ledger(read)
        shared = self._journal.shared_identifiers(of_this_run=True)
        damaged = self._journal.damaged_count()
        self._warnings += tuple(
            Diagnostic("FM814", args={"key": key}, variant="key") for key in self._journal.missing_keys()
        )
        unreadable = self._journal.unreadable_keys()
        if unreadable:
            args = {"count": len(unreadable), "keys": first_names(unreadable)}
            self._warnings += (Diagnostic("FM816", args=args, variant="records"),)
        is_attended = not (self._journal.to_acknowledge() or shared or archived.unwritten or damaged or unreadable)
        code = exit_code(ledger, delivery, stopped, is_attended=is_attended)
        self._journal.finish_run(code, read)
        project = self._engine.project
        moved = MovedFiles()
        if source is not None and not delivery.interrupted:
            moved, warnings = move_done(project, self._engine.plan, source, self._journal)
            self._warnings += tuple(warnings)
        facts = RunFacts(
            project=project.name,
            target=project.target_name,
            sink=self._sink.name,
            run_id=self._run_id,
            started_at=self._started_at,
            finished_at=self._clock.now(),
            exit_code=code,
            archived=archived,
            stopped=stopped,
            interrupted=delivery.interrupted,
            rules=self._engine.rules,
            note_words=self._engine.note_words,
            words=self._engine.words,
            unmapped=unmapped,
            warnings=self._warnings,
            moved=moved,
        )
        self._log_end(facts, ledger, delivery.sent)
        return build_report(self._journal, ledger, facts)

    def _log_end(self, facts: RunFacts, ledger: Ledger, sent: int) -> None:
        for warning in self._warnings:
            emit(Warned(warning.code, warning.message, warning.span.position if warning.span else ""))
        emit(IdentifiersArchived(facts.archived.count, len(facts.archived.unwritten)))
        if facts.stopped is not None:
            emit(RunStopped(facts.stopped.code, facts.stopped.message))
        counts = {name: getattr(ledger, name) for name in Ledger.__slots__}
        emit(RunEnded(facts.exit_code, facts.finished_at - facts.started_at, sent, counts, self._journal.audit_head))

    def _archive(self) -> tuple[Archived, Diagnostic | None]:
        try:
            return archive(self._journal, self._archives), None
        except JournalError as error:
            if error.code != "FM808":
                raise
            return Archived(), error.diagnostic()
