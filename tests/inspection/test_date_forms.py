"""The table of forms: each is read as its type says, and a text has one of the certain ones at most."""

from __future__ import annotations

from datetime import datetime

import pytest

from fhirmap.analysis.date_format import parts, runs
from fhirmap.inspection.date_forms import CERTAIN_FORMS, DATE_FORMS, DateForm
from fhirmap.inspection.guess import guess
from fhirmap.runtime.transforms.dates import parser

_DAY = datetime(2025, 11, 23, 19, 45, 58)
_WRITTEN = {"yyyy": "%Y", "yy": "%y", "MMM": "%b", "MM": "%m", "M": "%m", "dd": "%d", "d": "%d"}
_CLOCK = {"HH": "%H", "mm": "%M", "ss": "%S"}


def written(form: DateForm) -> str:
    """A day in this form that fits no other by chance: neither its day nor its minute could be a month."""
    if form.format.startswith("unix"):
        return "1763927158000" if form.format == "unix-ms" else "1763927158"
    return "".join(_DAY.strftime((_WRITTEN | _CLOCK).get(run.text, run.text)) for run in runs(form.format))


@pytest.mark.parametrize("form", DATE_FORMS)
def test_each_form_is_read(form: DateForm) -> None:
    found = parser(form.format, form.type, "Z")(written(form))
    assert found is not None
    expected = {"date": "2025-11-23", "dateTime": "2025-11-23T19:45:58Z", "time": "19:45:58"}[form.type]
    held = parts(runs(form.format))
    length = {"date": 10 if "day" in held else 7, "dateTime": 16, "time": 5}[form.type]
    assert found[:length] == expected[:length]


@pytest.mark.parametrize("form", CERTAIN_FORMS)
def test_what_is_written_in_a_certain_form_is_guessed_to_be(form: DateForm) -> None:
    found = guess([written(form)])
    assert (found.type, found.format, found.is_local) == (form.type, form.format, form.type == "dateTime")


def test_a_certain_form_is_no_other_one() -> None:
    for form in CERTAIN_FORMS:
        readers = [other.format for other in CERTAIN_FORMS if parser(other.format, other.type, "Z")(written(form))]
        assert readers == [form.format]


def test_a_form_is_there_once() -> None:
    assert len({form.format for form in DATE_FORMS}) == len(DATE_FORMS)
