"""How diagnostics, faults and notes are shown."""

from __future__ import annotations

import json

import pytest

from fhirmap.diagnostics import Diagnostic, MapText, Related, Span
from fhirmap.diagnostics.render import (
    diagnostic_to_json,
    diagnostic_to_line,
    fault_to_json,
    fault_to_lines,
    note_to_json,
    note_to_lines,
    ordered,
    render_diagnostic,
    render_diagnostics,
    summary,
)
from fhirmap.records import Fault, Note
from fhirmap.texts import Listing, Text


def unknown_column(text: str, word: str, *, name: str = "renacot.map", **more: object) -> Diagnostic:
    """FM150 at the first place of ``word`` in ``text``."""
    start = text.index(word)
    span = Span(MapText(name, text), start, start + len(word))
    return Diagnostic("FM150", span, {"table": "poses", "column": "no_lott"}, "did you mean `no_lot`?", **more)  # type: ignore[arg-type]


def test_block() -> None:
    text = "model Pose from table 'poses' {\n  udi : string\n  lot : string from 'no_lott'\n}\n"
    assert render_diagnostic(unknown_column(text, "'no_lott'")) == (
        "error[FM150]: `poses` has no column `no_lott`\n"
        " --> renacot.map:3:21\n"
        "  |\n"
        "3 |   lot : string from 'no_lott'\n"
        "  |                     ^^^^^^^^^ unknown column\n"
        "  = hint: did you mean `no_lot`?   = why: fhirmap explain FM150"
    )


def test_a_gutter_as_wide_as_the_greatest_line_number() -> None:
    shown = render_diagnostic(unknown_column("\n" * 99 + "  'no_lott'", "'no_lott'")).splitlines()
    assert shown[1:4] == ["   --> renacot.map:100:3", "    |", "100 |   'no_lott'"]


@pytest.mark.parametrize(
    ("line", "shown", "marks"),
    [
        ("\tfrom 'x'", "    from 'x'", "         ^^^"),
        ("/* é */ 'x'", "/* é */ 'x'", "        ^^^"),
        ("/* e\u0301 */ 'x'", "/* e\u0301 */ 'x'", "        ^^^"),
        ("/* 手術 */ 'x'", "/* 手術 */ 'x'", "           ^^^"),
        ("/* \x1b[2J */ 'x'", "/* \ufffd[2J */ 'x'", "           ^^^"),
    ],
    ids=["tab", "accent", "combining accent", "wide characters", "escape sequence"],
)
def test_marks_are_under_what_they_mark(line: str, shown: str, marks: str) -> None:
    lines = render_diagnostic(unknown_column(line, "'x'")).splitlines()
    assert lines[3:5] == [f"1 | {shown}", f"  | {marks} unknown column"]


def test_a_span_of_several_lines_shows_its_first() -> None:
    lines = render_diagnostic(unknown_column("a {\n  b\n}\n", "{\n  b\n}")).splitlines()
    assert lines[3:5] == ["1 | a {", "  |   ^ unknown column, up to line 3"]


@pytest.mark.parametrize("text", ["", "a", "a\n", "a\r\n"])
def test_an_empty_span_at_the_end_of_the_file_has_one_mark(text: str) -> None:
    map_text = MapText("m.map", text)
    shown = render_diagnostic(Diagnostic("FM150", Span(map_text, len(text), len(text)), {"table": "t", "column": "c"}))
    assert shown.splitlines()[4].count("^") == 1


def test_a_very_long_line_is_cut_around_its_marks() -> None:
    lines = render_diagnostic(unknown_column("x" * 5000 + " 'no_lott' " + "y" * 5000, "'no_lott'")).splitlines()
    assert len(lines[3]) < 200
    column = lines[4].index("^")
    assert lines[3][column : column + 9] == "'no_lott'"


def test_related_places_follow() -> None:
    text = "model Pose {}\nmodel Pose {}\n"
    map_text = MapText("m.map", text)
    entry = Diagnostic(
        "FM150",
        Span(map_text, 20, 24),
        {"table": "t", "column": "c"},
        related=(Related(Span(map_text, 6, 10), Text("labels.declared_here")),),
    )
    assert render_diagnostic(entry).splitlines()[5:9] == [
        " ::: m.map:1:7",
        "  |",
        "1 | model Pose {}",
        "  |       ---- declared here",
    ]


def test_without_a_place() -> None:
    entry = Diagnostic("FM150", None, {"table": "t", "column": "c"}, Listing(("look",)))
    assert (
        render_diagnostic(entry) == "error[FM150]: `t` has no column `c`\n = hint: look   = why: fhirmap explain FM150"
    )
    assert diagnostic_to_line(entry) == "error[FM150]: `t` has no column `c`   = hint: look"


def test_a_long_hint_is_on_its_own_line() -> None:
    entry = Diagnostic("FM150", None, {"table": "t", "column": "c"}, Listing(("word " * 30,)))
    assert render_diagnostic(entry).splitlines()[-1] == " = why: fhirmap explain FM150"


def test_a_narrow_screen_folds_words_and_cuts_source_lines() -> None:
    text = "/* " + "x" * 30 + " */ lot : string from 'no_lott' null 'absent', 'unknown'"
    lines = render_diagnostic(unknown_column(text, "'no_lott'"), width=40).splitlines()
    assert lines == [
        "error[FM150]: `poses` has no column",
        "    `no_lott`",
        " --> renacot.map:1:56",
        "  |",
        "1 | …string from 'no_lott' null 'absent…",
        "  |              ^^^^^^^^^",
        "  |              unknown column",
        "  = hint: did you mean `no_lot`?",
        "  = why: fhirmap explain FM150",
    ]
    assert render_diagnostic(unknown_column("'no_lott'", "'no_lott'"), width=80).splitlines()[-1] == (
        "  = hint: did you mean `no_lot`?   = why: fhirmap explain FM150"
    )


def test_colours_only_when_asked_and_nothing_else_changes() -> None:
    entry = unknown_column("'no_lott'", "'no_lott'")
    plain, coloured = render_diagnostic(entry), render_diagnostic(entry, colour=True)
    assert "\x1b" not in plain
    assert coloured.startswith("\x1b[1;31merror[FM150]\x1b[0m")
    import re

    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain


def test_line() -> None:
    assert diagnostic_to_line(unknown_column("\n 'no_lott'", "'no_lott'")) == (
        "renacot.map:2:2: error[FM150]: `poses` has no column `no_lott`   = hint: did you mean `no_lot`?"
    )


def test_json() -> None:
    found = json.loads(json.dumps(diagnostic_to_json(unknown_column("\n 'no_lott'", "'no_lott'"))))
    assert found == {
        "code": "FM150",
        "severity": "error",
        "message": "`poses` has no column `no_lott`",
        "label": "unknown column",
        "hint": "did you mean `no_lot`?",
        "file": "renacot.map",
        "line": 2,
        "column": 2,
        "end_line": 2,
        "end_column": 11,
        "related": [],
    }


def test_ordered_top_to_bottom_each_once_file_by_file() -> None:
    text = "a b c"
    first, second = unknown_column(text, "a"), unknown_column(text, "c")
    other = unknown_column(text, "b", name="lib.map")
    nowhere = Diagnostic("FM150", None, {"table": "t", "column": "c"})
    assert ordered([nowhere, second, other, first, second]) == (first, second, other, nowhere)
    assert render_diagnostics([first, second]).count("\n\n") == 1
    assert render_diagnostics([]) == ""


def test_summary() -> None:
    from fhirmap.diagnostics import Severity

    error = unknown_column("a", "a")
    warning = unknown_column("a", "a", severity_override=Severity.WARNING)
    assert summary([error, error, warning], ["renacot.map"], 0.0432) == "2 errors, 1 warning in renacot.map (43 ms)"
    assert summary([], ["renacot.map"]) == "no errors in renacot.map"
    assert summary([error], ["a.map", "b.map"], 1.5) == "1 error in 2 files (1500 ms)"


def test_an_argument_that_was_forgotten_hides_nothing() -> None:
    assert Diagnostic("FM150", None, {"table": "poses"}).message == "`poses` has no column `…`"


def test_fault() -> None:
    fault = Fault(
        "FM150",
        path="Parameters.parameter[6].part[1].value",
        element="Parameters.parameter:implants.part:lot.value[x]",
        args={"table": "poses", "column": "no_lott"},
        position="renacot.map:28:5",
        columns=("POSE_DMI.num_lot",),
    )
    whole = (
        "error[FM150]: `poses` has no column `no_lott`   Parameters.parameter[6].part[1].value"
        "   --> renacot.map:28:5   from POSE_DMI.num_lot"
    )
    assert fault_to_lines(fault, 200) == [whole]
    assert fault_to_lines(fault, len(whole) + 4, 4) == [f"    {whole}"]
    assert fault_to_lines(fault, 80, 2) == [
        "  error[FM150]: `poses` has no column `no_lott`",
        "      Parameters.parameter[6].part[1].value   --> renacot.map:28:5",
        "      from POSE_DMI.num_lot",
    ]
    assert fault_to_lines(fault, 40) == [
        "error[FM150]: `poses` has no column",
        "    `no_lott`",
        "    Parameters.parameter[6].part[1].value",
        "    --> renacot.map:28:5",
        "    from POSE_DMI.num_lot",
    ]
    assert fault_to_lines(fault, 40, colour=True)[0] == "\x1b[1;31merror[FM150]\x1b[0m: `poses` has no column"
    found = json.loads(json.dumps(fault_to_json(fault)))
    assert found["columns"] == ["POSE_DMI.num_lot"]
    assert found["message"] == "`poses` has no column `no_lott`"


def test_note() -> None:
    note = Note("key of the NIR is wrong", "renacot.map:28:5")
    assert note_to_lines(note, 80) == ["note: key of the NIR is wrong   --> renacot.map:28:5"]
    assert note_to_lines(note, 40, 2) == ["  note: key of the NIR is wrong", "      --> renacot.map:28:5"]
    assert note_to_json(note) == {"text": "key of the NIR is wrong", "position": "renacot.map:28:5"}
