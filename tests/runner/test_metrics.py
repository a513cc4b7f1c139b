"""Metrics as OpenMetrics: read back by the reference parser, and by that of the older format of Prometheus."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.journal import EntryState, Figures
from fhirmap.journal.entries import RunSummary
from fhirmap.journal.figures import AnsweredCalls
from fhirmap.runner.metrics import MeasuredProject, metrics_text

NOW = 1_764_000_100.0
FULL = Figures(
    states=dict.fromkeys(EntryState, 0) | {EntryState.ACCEPTED: 7, EntryState.DEFERRED: 2},
    held=1,
    withdrawn=2,
    in_doubt=3,
    unarchived=4,
    oldest_pending_at=NOW - 100,
    calls=(
        AnsweredCalls(EntryState.ACCEPTED, 200, 7, 3.5, (0, 1, 2, 5, 7, 7, 7, 7, 7)),
        AnsweredCalls(EntryState.DEFERRED, 503, 2, 80.0, (0, 0, 0, 0, 0, 0, 0, 0, 1)),
    ),
    tokens=5,
    last_run=RunSummary(9, NOW - 60, NOW - 10, 1, {"read": 9, "accepted": 7, "pending": 2}),
    last_done_at=NOW - 10,
)
NORTH = MeasuredProject("north", "renacot", FULL)
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    """What the reference parser of OpenMetrics, which is strict, finds."""
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(found: Samples, name: str, **labels: str) -> float:
    everywhere = {"project": "north", "target": "renacot"}
    return found[name, tuple(sorted({**everywhere, **labels}.items()))]


def test_every_figure_has_its_sample() -> None:
    found = samples(metrics_text([NORTH], NOW))
    assert of(found, "fhirmap_journal_readable") == 1
    assert of(found, "fhirmap_records", state="accepted") == 7
    assert of(found, "fhirmap_records", state="refused") == 0
    assert of(found, "fhirmap_records_held") == 1
    assert of(found, "fhirmap_records_withdrawn") == 2
    assert of(found, "fhirmap_records_in_doubt") == 3
    assert of(found, "fhirmap_identifiers_unarchived") == 4
    assert of(found, "fhirmap_oldest_pending_age_seconds") == 100
    assert of(found, "fhirmap_oldest_pending_timestamp_seconds") == NOW - 100
    assert of(found, "fhirmap_last_run_start_timestamp_seconds") == NOW - 60
    assert of(found, "fhirmap_last_run_duration_seconds") == 50
    assert of(found, "fhirmap_last_run_exit_code") == 1
    assert of(found, "fhirmap_last_run_records", destination="pending") == 2
    assert of(found, "fhirmap_last_done_timestamp_seconds") == NOW - 10
    assert of(found, "fhirmap_answers_total", state="deferred", status="503") == 2
    assert of(found, "fhirmap_call_duration_seconds_bucket", le="0.5") == 5
    assert of(found, "fhirmap_call_duration_seconds_bucket", le="30.0") == 8
    assert of(found, "fhirmap_call_duration_seconds_bucket", le="+Inf") == 9
    assert of(found, "fhirmap_call_duration_seconds_count") == 9
    assert of(found, "fhirmap_call_duration_seconds_sum") == 83.5
    assert of(found, "fhirmap_tokens_fetched_total") == 5


def test_the_form_is_that_of_the_specification() -> None:
    pytest.importorskip("prometheus_client")
    text = metrics_text([NORTH], NOW)
    assert text.endswith("# EOF\n")
    assert "# TYPE fhirmap_answers counter\n" in text
    assert "# UNIT fhirmap_call_duration_seconds seconds\n" in text
    families = re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)
    assert {kind for _, kind in families} == {"gauge", "counter", "histogram"}  # those of the older format
    assert [name for name, _ in families] == re.findall(r"^# HELP (\w+) \S", text, re.MULTILINE)
    timed = {name for name, _ in families if name.endswith("_seconds")}
    assert set(re.findall(r"^# UNIT (\w+) seconds$", text, re.MULTILINE)) == timed
    # the textfile collector of node_exporter takes no sample with a time of its own
    assert all(len(line.rpartition("} ")[2].split()) == 1 for line in text.splitlines() if not line.startswith("#"))


def test_the_older_format_reads_the_same_samples() -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    text = metrics_text([NORTH], NOW)
    older = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert older == samples(text)


def test_projects_share_the_families() -> None:
    south = MeasuredProject('s"ou\\th\n', "renacot", Figures())
    text_of_both = samples(metrics_text([NORTH, south], NOW))
    assert of(text_of_both, "fhirmap_tokens_fetched_total") == 5
    assert of(text_of_both, "fhirmap_tokens_fetched_total", project=south.project) == 0
    assert of(text_of_both, "fhirmap_oldest_pending_age_seconds", project=south.project) == 0


def test_what_there_is_not_has_no_sample() -> None:
    names = {name for name, _ in samples(metrics_text([MeasuredProject("a", "b", Figures())], NOW))}
    absent = ("oldest_pending_timestamp_seconds", "last_run_exit_code", "last_done_timestamp_seconds")
    assert not {f"fhirmap_{name}" for name in absent} & names


def test_a_journal_that_cannot_be_read_says_so_and_no_figure() -> None:
    found = samples(metrics_text([MeasuredProject("north", "renacot", None)], NOW))
    assert found == {("fhirmap_journal_readable", (("project", "north"), ("target", "renacot"))): 0}


def test_a_run_that_goes_on_has_no_exit_code() -> None:
    running = Figures(last_run=RunSummary(1, NOW, None, None))
    found = samples(metrics_text([MeasuredProject("north", "renacot", running)], NOW))
    assert of(found, "fhirmap_last_run_start_timestamp_seconds") == NOW
    assert "fhirmap_last_run_exit_code" not in {name for name, _ in found}


def test_without_the_library_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigError, match="FM797") as raised:
        metrics_text([NORTH], NOW)
    assert raised.value.diagnostic().args["extra"] == "metrics"


def test_the_page_has_each_metric_with_its_labels() -> None:
    pytest.importorskip("prometheus_client")
    page = (Path(__file__).resolve().parents[2] / "docs" / "operations" / "monitoring.md").read_text(encoding="utf-8")
    rows = {
        cells[1].strip(" `"): set(re.findall(r"`(\w+)`", cells[2]))
        for line in page.splitlines()
        if line.startswith("| `fhirmap_")
        for cells in [line.split("|")]
    }
    shown: dict[str, set[str]] = {}
    for name, labels in samples(metrics_text([replace(NORTH, ended=(0, NOW))], NOW)):
        family = re.sub("_(bucket|count|sum)$", "", name) if "call_duration" in name else name
        shown.setdefault(family, set()).update(label for label, _ in labels if label not in ("project", "target"))
    assert rows == shown
