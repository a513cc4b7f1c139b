"""Messages of HL7 v2 as trees: what paths lead to, and escape sequences."""

from __future__ import annotations

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.records import TreeText
from fhirmap.runtime.reading import at
from fhirmap.sources.files.hl7_tree import HeaderSegment, Marks, Segment, SegmentGroup, are_escapes_known, marks_of

MARKS = Marks("|", "^", "~", "\\", "&", "", "utf-8")


def pid(fields: str) -> Segment:
    return Segment(f"PID|{fields}", MARKS)


def test_fields_are_called_by_their_number() -> None:
    segment = pid("1||A^B&C||^Noël|M")
    assert list(segment) == ["1", "3", "5", "6"]
    assert [at(segment, path) for path in [("3",), ("3", "1"), ("3", "2"), ("3", "2", "2"), ("6", "1", "1")]] == [
        "A",
        "A",
        "B",
        "C",
        "M",
    ]
    # The first component is empty: as a value it is none, and the others are there.
    assert (at(segment, ("5",)), at(segment, ("5", "2"))) == ("", "Noël")
    assert [at(segment, path) for path in [("2",), ("9",), ("0",), ("3", "3"), ("3", "0"), ("x",), ("01",)]] == [
        None
    ] * 7
    assert str(segment) == segment.text
    assert segment == {"1": "1", "3": "A", "5": "", "6": "M"}


def test_repetitions_are_a_list_with_their_places() -> None:
    segment = pid("1||A^1~~B^2|~|^~^")
    assert segment["3"] == ["A", None, "B"]
    assert at(segment, ("3", "2")) == ["1", "2"]
    assert at(segment, ("3", 2, "1")) == "B"
    assert list(segment) == ["1", "3"]


def test_null_is_an_empty_text_and_an_empty_field_is_none() -> None:
    segment = pid('""||""^B|^^|&^|A^""')
    assert [segment.get(str(number)) for number in range(1, 7)] == ["", None, "", None, None, "A"]
    assert [at(segment, path) for path in [("1", "1"), ("3", "1"), ("3", "2"), ("6", "2")]] == [None, "", "B", ""]


def test_the_header_names_its_separators() -> None:
    segment = HeaderSegment("MSH|^~\\&|A|B^C", MARKS)
    assert [at(segment, path) for path in [("1",), ("2",), ("3",), ("4", "2")]] == ["|", "^~\\&", "A", "C"]
    assert list(segment) == ["1", "2", "3", "4"]


def test_a_field_that_cannot_be_read_counts_as_empty() -> None:
    segment = pid("1|2|3")
    segment.clear(2)
    assert list(segment) == ["1", "3"]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("MSH|^~\\&|A", ("|", "^", "~", "\\", "&", "")),
        ("MSH|^~\\&#|A", ("|", "^", "~", "\\", "&", "#")),
        ("MSH$%!?*$A", ("$", "%", "!", "?", "*", "")),
        ("MSH|^~|A", ("|", "^", "~", "", "", "")),
        ("MSH||A", None),
        ("MSH", None),
        ("MSH|", None),
        ("MSH|^^\\&|A", None),
        ("MSH|^~\\|&", None),
        ("MSH|^~\\&#@|A", None),
        ("MSHA^~\\&A", None),
        ("MSH ^~\\& A", None),
        ("MSH|^~\\A|A", None),
    ],
)
def test_separators_are_those_of_the_header(header: str, found: tuple[str, ...] | None) -> None:
    marks = marks_of(header, "utf-8")
    if header == "MSH|^~\\|&":  # three encoding characters, and a field `&`
        found = ("|", "^", "~", "\\", "", "")
    assert (marks and marks[:-1]) == found


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a\\T\\b", "a&b"),
        ("\\F\\\\S\\\\R\\\\E\\", "|^~\\"),
        ("T11\\X1D\\21S", "T11\x1d21S"),
        ("\\x1d\\", "\x1d"),
        ("No\\XC3AB\\l", "Noël"),
        ("a\\.br\\b\\.sp2\\c\\.ce\\d", "a\nb\nc\nd"),
        ("\\H\\gras\\N\\", "gras"),
        ("\\.in+4\\a\\.sk3\\b\\.fi\\", "a   b"),
        # Each sequence once: what it makes is no sequence.
        ("\\E\\T\\E\\", "\\T\\"),
        ("\\X5C\\T\\X5C\\", "\\T\\"),
        ("\\P\\", "#"),
    ],
)
def test_escape_sequences(written: str, text: str) -> None:
    segment = pid(written)
    assert segment["1"] == text
    assert are_escapes_known(written, MARKS)


@pytest.mark.parametrize(
    "written", ["\\Zabc\\", "\\C2842\\", "\\M2442\\", "a\\b", "\\", "\\T", "\\XE9\\", "\\X1\\", "\\t\\"]
)
def test_escape_sequences_without_a_meaning(written: str) -> None:
    assert not are_escapes_known(written, MARKS)
    assert pid(written)["1"] == written


def test_bytes_of_a_sequence_are_in_the_encoding_of_the_message() -> None:
    marks = MARKS._replace(encoding="cp1252")
    assert Segment("PID|No\\XEB\\l", marks)["1"] == "Noël"


def test_a_message_without_an_escape_character_has_no_sequences() -> None:
    marks = MARKS._replace(escape="")
    assert are_escapes_known("a\\b", marks)
    assert Segment("PID|a\\T\\b", marks)["1"] == "a\\T\\b"


def test_a_segment_with_those_that_follow_it() -> None:
    before = {"PID": pid("7")}
    after = {"OBX": [Segment("OBX|1", MARKS), Segment("OBX|2", MARKS)]}
    group = SegmentGroup(Segment("OBR|1|A", MARKS), {**after, "..": before})
    read = [at(group, path) for path in [("2",), ("OBX", "1"), ("..", "PID", "1"), ("3",)]]
    assert read == ["A", ["1", "2"], "7", None]
    assert (at(group, ("OBR", "2")), group["OBR"]) == ("A", group.own)
    assert list(group) == ["1", "2", "OBR", "OBX", ".."]
    assert len(group) == 5
    assert str(group) == "OBR|1|A\rOBX|1\rOBX|2\rPID|7"


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='"|^~\\&\r\n'), max_size=4
)
COMPONENTS = st.lists(st.lists(TEXTS, min_size=1, max_size=3), min_size=1, max_size=3)
FIELDS = st.lists(st.lists(COMPONENTS, min_size=1, max_size=3), min_size=1, max_size=6)


@given(FIELDS)
def test_a_second_reader_reads_the_same(fields: list[list[list[list[str]]]]) -> None:
    written = "|".join(
        "~".join("^".join("&".join(component) for component in repetition) for repetition in field) for field in fields
    )
    other = hl7.parse(f"MSH|^~\\&|A\rPID|{written}\r").segment("PID")
    segment = pid(written)
    for number, field in enumerate(fields, 1):
        for place, repetition in enumerate(field):
            for component, parts in enumerate(repetition, 1):
                for sub, text in enumerate(parts, 1):
                    found = at(segment, (str(number), place, str(component), str(sub)))
                    assert (found or "") == other.extract_field(1, number, place + 1, component, sub) == text


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=8))
def test_a_second_reader_escapes(text: str) -> None:
    written = hl7.parse("MSH|^~\\&|A\r").escape(text)
    found = pid(f"1|{written}").get("2")
    assert (found if isinstance(found, TreeText) else "" if found is None else found) == ("" if text == '""' else text)
