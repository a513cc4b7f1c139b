"""Figures of projects as OpenMetrics: a text that Prometheus and what is like it read.

Names, units and HELP are the same in every language and for every project: a monitoring system compares them between
files. There is no type that the older format of Prometheus lacks (`info`, `stateset`), nor a time beside a value: the
textfile collector of node_exporter reads the text, too. Labels are the names of project and target, states, HTTP
statuses: never a key.

Spec: OpenMetrics 1.0.0. The text is made by `prometheus_client`, which is the extra ``metrics``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from fhirmap.errors import ConfigError, JournalError
from fhirmap.journal import BUCKETS_S, Figures
from fhirmap.runner.atomic_file import write_atomically
from fhirmap.runner.project import Project
from fhirmap.runner.run import look_into_journal

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector, CollectorRegistry

__all__ = ["MeasuredProject", "measure", "metrics_registry", "metrics_text", "require_library", "write_metrics"]

_OF_EVERY_USER = 0o644


@dataclass(frozen=True, slots=True)
class MeasuredProject:
    """Figures of a project; None where its journal cannot be read now. ``ended``: the exit code of the command that
    writes them, and when it ended."""

    project: str
    target: str
    figures: Figures | None
    ended: tuple[int, float] | None = None


def measure(project: Project) -> MeasuredProject:
    """The project's figures, from its journal, which is only read; those of no run where there is none yet."""
    try:
        journal = look_into_journal(project)
        if journal is None:
            return MeasuredProject(project.name, project.target_name, Figures())
        with journal:
            return MeasuredProject(project.name, project.target_name, journal.figures())
    except JournalError:
        return MeasuredProject(project.name, project.target_name, None)


def metrics_text(measured: Sequence[MeasuredProject], now: float) -> str:
    """The text. ``now``: seconds since the epoch.

    Raises: ConfigError FM797 without `prometheus_client`.
    """
    require_library()
    from prometheus_client.openmetrics.exposition import generate_latest

    generate: Callable[[CollectorRegistry], bytes] = generate_latest
    return generate(metrics_registry(lambda: measured, lambda: now)).decode()


def write_metrics(project: Project, exit_code: int) -> None:
    """Writes the file that the project names in ``[metrics]``, where it names one: every user of the machine may read
    it. ``exit_code``: of the command, which may have ended before it had a journal.

    Raises: ConfigError FM797 without `prometheus_client`; OSError, and the file is as it was.
    """
    if project.metrics_file is not None:
        now = time.time()
        content = metrics_text([replace(measure(project), ended=(exit_code, now))], now).encode()
        write_atomically(project.metrics_file, content, mode=_OF_EVERY_USER)


def require_library() -> None:
    """Raises: ConfigError FM797 without `prometheus_client`."""
    try:
        import prometheus_client  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError("FM797", library=error.name, extra="metrics") from None


def metrics_registry(
    measured: Callable[[], Iterable[MeasuredProject]], clock: Callable[[], float] = time.time
) -> CollectorRegistry:
    """What `prometheus_client` serves or writes: ``measured`` is called for each answer."""
    from prometheus_client.registry import CollectorRegistry

    registry = CollectorRegistry(auto_describe=False)
    registry.register(cast("Collector", _Measured(measured, clock)))
    return registry


@dataclass(frozen=True, slots=True)
class _Measured:
    """What a registry calls a collector."""

    measured: Callable[[], Iterable[MeasuredProject]]
    clock: Callable[[], float]

    def collect(self) -> Iterator[Metric]:
        """The metrics of now."""
        yield from _metrics(list(self.measured()), self.clock())


_LABELS = ["project", "target"]


def _metrics(measured: Sequence[MeasuredProject], now: float) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    readable = GaugeMetricFamily("fhirmap_journal_readable", "Whether the journal could be read.", labels=_LABELS)
    for one in measured:
        readable.add_metric([one.project, one.target], one.figures is not None)
    yield readable
    yield from _ended(measured)
    known = [([one.project, one.target], one.figures) for one in measured if one.figures is not None]
    yield from _gauges(known, now)
    yield from _last_run(known)
    yield from _calls(known)


def _ended(measured: Sequence[MeasuredProject]) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    code = GaugeMetricFamily("fhirmap_command_exit_code", "Exit code of the command that wrote this.", labels=_LABELS)
    at = GaugeMetricFamily(
        "fhirmap_command_end_timestamp_seconds",
        "When the command that wrote this ended.",
        labels=_LABELS,
        unit="seconds",
    )
    for one in measured:
        if one.ended is not None:
            code.add_metric([one.project, one.target], one.ended[0])
            at.add_metric([one.project, one.target], one.ended[1])
    yield from (code, at)


_Known = list[tuple[list[str], Figures]]


def _gauges(known: _Known, now: float) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    states = GaugeMetricFamily("fhirmap_records", "Current records by state.", labels=[*_LABELS, "state"])
    for labels, figures in known:
        for state, count in figures.states.items():
            states.add_metric([*labels, str(state)], count)
    yield states
    gauges: tuple[tuple[str, str, str, Callable[[Figures], float | None]], ...] = (
        ("fhirmap_records_held", "Accepted records that only map, target or version would change.", "", _held),
        ("fhirmap_records_withdrawn", "Withdrawn records that no one has acknowledged.", "", _withdrawn),
        ("fhirmap_records_in_doubt", "Payloads whose answer was lost and no one has settled.", "", _in_doubt),
        ("fhirmap_identifiers_unarchived", "Identifiers still to be written back.", "", _unarchived),
        (
            "fhirmap_oldest_pending_timestamp_seconds",
            "When the record that has waited longest was first read; absent where none waits.",
            "seconds",
            lambda figures: figures.oldest_pending_at,
        ),
        (
            "fhirmap_oldest_pending_age_seconds",
            "How long the oldest pending record has waited, at the time of writing; 0 where none waits.",
            "seconds",
            lambda figures: 0 if figures.oldest_pending_at is None else max(0.0, now - figures.oldest_pending_at),
        ),
        (
            "fhirmap_last_done_timestamp_seconds",
            "When a run last did all its work (exit code 0 or 1).",
            "seconds",
            lambda figures: figures.last_done_at,
        ),
    )
    for name, words, unit, read in gauges:
        family = GaugeMetricFamily(name, words, labels=_LABELS, unit=unit)
        for labels, figures in known:
            value = read(figures)
            if value is not None:
                family.add_metric(labels, value)
        yield family


def _last_run(known: _Known) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    begun = GaugeMetricFamily(
        "fhirmap_last_run_start_timestamp_seconds", "When the last run began.", labels=_LABELS, unit="seconds"
    )
    duration = GaugeMetricFamily(
        "fhirmap_last_run_duration_seconds",
        "How long the last run took; absent while it goes on, or where it was killed.",
        labels=_LABELS,
        unit="seconds",
    )
    code = GaugeMetricFamily(
        "fhirmap_last_run_exit_code",
        "Exit code of the last run; absent while it goes on, or where it was killed.",
        labels=_LABELS,
    )
    counts = GaugeMetricFamily(
        "fhirmap_last_run_records",
        "Records that the last run read, by where they ended.",
        labels=[*_LABELS, "destination"],
    )
    for labels, figures in known:
        last = figures.last_run
        if last is None or last.is_unreadable:
            continue
        begun.add_metric(labels, last.started_at)
        if last.finished_at is not None and last.exit_code is not None:
            duration.add_metric(labels, last.finished_at - last.started_at)
            code.add_metric(labels, last.exit_code)
        for destination, count in last.counts.items():
            if destination != "read":
                counts.add_metric([*labels, destination], count)
    yield from (begun, duration, code, counts)


def _calls(known: _Known) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    answers = CounterMetricFamily(
        "fhirmap_answers",
        "Answers by HTTP status (0: none came, or the sink is a file) and the state that they led to.",
        labels=[*_LABELS, "state", "status"],
    )
    durations = HistogramMetricFamily(
        "fhirmap_call_duration_seconds", "How long calls of the receiver took.", labels=_LABELS, unit="seconds"
    )
    tokens = CounterMetricFamily("fhirmap_tokens_fetched", "Tokens that the identity server gave.", labels=_LABELS)
    for labels, figures in known:
        for calls in figures.calls:
            answers.add_metric([*labels, str(calls.state), str(calls.status)], calls.count)
        total = sum(calls.count for calls in figures.calls)
        within = [sum(calls.within[place] for calls in figures.calls) for place in range(len(BUCKETS_S))]
        bounds = [*(str(most) for most in BUCKETS_S), "+Inf"]
        durations.add_metric(
            labels,
            list(zip(bounds, [*within, total], strict=True)),
            sum(calls.seconds for calls in figures.calls),
        )
        tokens.add_metric(labels, figures.tokens)
    yield from (answers, durations, tokens)


def _held(figures: Figures) -> float:
    return figures.held


def _withdrawn(figures: Figures) -> float:
    return figures.withdrawn


def _in_doubt(figures: Figures) -> float:
    return figures.in_doubt


def _unarchived(figures: Figures) -> float:
    return figures.unarchived
