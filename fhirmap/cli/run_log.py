"""The log of a run on standard error: its events, one a line, as text or as JSON.

Other libraries' logs may hold headers or parameters: they are left out, and so is whatever is no event of ours.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import click

from fhirmap.diagnostics import Diagnostic
from fhirmap.events import LOGGER, Event, FieldValue, RunFailed, RunInterrupted, RunStarted, Warned, emit
from fhirmap.texts.shown_keys import shown_data

__all__ = ["FORMATS", "JSON_LINES", "VARIABLE", "emit_warnings", "run_log"]

TEXT = "text"
JSON_LINES = "json"
FORMATS = (TEXT, JSON_LINES)
VARIABLE = "FHIRMAP_LOG_FORMAT"


@contextmanager
def run_log(form: str | None, *, debug: bool, shows_faults: bool = False) -> Iterator[None]:
    """Shows the events meanwhile: from level debug on with ``debug``, from info on where only a ``form`` was asked
    for; none without either.

    As JSON the log has standard error to itself: a fault is its last line, and the command ends with its exit code.
    ``shows_faults``: the command shows them elsewhere.

    Raises: what ended the command; `click.exceptions.Exit` in its place where standard error is the log's.
    """
    if form is None and not debug:
        yield
        return
    handler = _EventHandler(as_json=form == JSON_LINES)
    logger = logging.getLogger(LOGGER)
    former = logger.level, logger.propagate
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    except (click.ClickException, BrokenPipeError):
        raise  # the call itself is wrong, or who reads the report has seen enough
    except KeyboardInterrupt:
        from fhirmap.cli.faults import EXIT_INTERRUPTED

        emit(RunInterrupted(EXIT_INTERRUPTED))
        if form == JSON_LINES:
            raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
        raise
    except Exception as fault:
        from fhirmap.cli.faults import diagnose

        diagnostics, code = diagnose(fault)
        first = next((entry for entry in diagnostics if entry.is_error), diagnostics[0])
        emit_warnings([entry for entry in diagnostics if entry is not first])
        emit(RunFailed(first.code, first.message, code))
        if form == JSON_LINES and not shows_faults:
            raise click.exceptions.Exit(code) from None
        raise
    finally:
        logger.removeHandler(handler)
        logger.setLevel(former[0])
        logger.propagate = former[1]


def emit_warnings(diagnostics: Sequence[Diagnostic]) -> None:
    """What is allowed and doubtful, as events."""
    for entry in diagnostics:
        emit(Warned(entry.code, entry.message, entry.span.position if entry.span else ""))


class _EventHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes events; those after the beginning of a run bear its number."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__(sys.stderr)
        self._as_json = as_json
        self._run = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Is it an event of ours?"""
        return isinstance(getattr(record, "event", None), Event)

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        event: Event = shown_data(record.__dict__["event"])
        if isinstance(event, RunStarted):
            self._run = event.run
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        level = record.levelname.lower()
        head: Mapping[str, FieldValue] = {"ts": at, "level": level, "event": event.name, "run": self._run}
        if self._as_json:
            return json.dumps({**head, **event.values()}, ensure_ascii=False)
        fields = {name: value for name, value in event.values().items() if name != "run"}
        return " ".join([at, level, event.name, f"run={self._run}", *(f"{n}={_word(v)}" for n, v in fields.items())])


def _word(value: FieldValue) -> str:
    """A value of a field in the form as text: quoted where it is no single word."""
    if isinstance(value, str) and value and not (set(value) & set(' "=\\') or not value.isprintable()):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
