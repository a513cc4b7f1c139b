"""Messages of a file of HL7 v2: encodings, batches, frames, and lines that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from tests.sources.files.hl7_exports import faults, header, message, plan, rows

NAMES = plan("MSH.10", "PID.5")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("begin", ["", "\ufeff", "\r\n\r\n"])
def test_messages_whatever_ends_a_segment(tmp_path: Path, end: str, begin: str) -> None:
    content = begin + message("PID|1||||A", end=end) + end + message("PID|1||||B", end=end, number="2")
    found = rows(tmp_path / "a.hl7", content, NAMES)
    above = begin.count("\r\n")
    assert [(row.cells["MSH"]["10"], row.cells["PID"]["5"], row.place, row.number) for row in found] == [
        ("1", "A", f":{above + 1}", 1),
        ("2", "B", f":{above + 4}", 2),
    ]
    assert faults(found) == []


def test_each_message_has_its_own_separators(tmp_path: Path) -> None:
    content = message("PID|1||||A^B") + message("PID$1$$$$A%B", number="2", separators="$%~\\&")
    found = rows(tmp_path / "a.hl7", content, plan("PID.5.2"))
    assert [row.cells["PID"]["5"].members["2"] for row in found] == ["B", "B"]


def test_a_header_without_separators_costs_its_message(tmp_path: Path) -> None:
    found = rows(tmp_path / "a.hl7", "MSH|^^\\&|A\rPID|1\r" + message(number="2") + "MSH\rPID|1", NAMES)
    assert [(row.place, row.is_lost, dict(row.cells) == {}) for row in found] == [
        (":1", True, True),
        (":3", False, False),
        (":4", True, True),
    ]
    assert faults(found) == [":1 FM784 separators", ":4 FM784 separators"]


@pytest.mark.parametrize("odd", ["second line of a text", "pid|1", "PI|1", "PIDX|1", "PID^1", "1AB|x"])
def test_a_line_that_is_no_segment_costs_its_message(tmp_path: Path, odd: str) -> None:
    found = rows(tmp_path / "a.hl7", message("OBX|1||||first", odd, "PID|1||||A") + message(number="2"), NAMES)
    assert faults(found) == [":1 FM784"]
    assert (found[0].faults[0].args["line"], found[0].is_lost, found[0].cells["PID"]["5"]) == (3, False, "A")


def test_a_name_alone_and_blank_lines_hold_nothing(tmp_path: Path) -> None:
    (found,) = rows(tmp_path / "a.hl7", message("PV1", "", "  ", "ZZ1|7"), NAMES)
    assert (sorted(found.cells), found.faults) == (["MSH", "ZZ1"], [])


@pytest.mark.parametrize("separators", ["|^~\\&", "$%~\\&", "|^~\\&#"])
def test_a_message_that_begins_in_the_line_of_another_is_no_part_of_it(tmp_path: Path, separators: str) -> None:
    first, second = (message("OBX|1||||A".replace("|", separators[0]), number=n, separators=separators) for n in "12")
    found = rows(tmp_path / "a.hl7", first.rstrip("\r") + second + message(number="3"), NAMES)
    assert faults(found) == [":1 FM784 joined"]
    assert found[0].faults[0].args["line"] == 2
    framed = "\x0b" + first + "\x1c" + second
    assert ":1 FM784 joined" not in faults(rows(tmp_path / "c.hl7", framed, NAMES))
    escaped = message("OBX|1||||MSH\\F\\\\S\\\\R\\\\E\\\\T\\\\F\\A")
    assert faults(rows(tmp_path / "b.hl7", escaped, NAMES)) == []


def test_what_belongs_to_no_message_is_a_fault(tmp_path: Path) -> None:
    first, second = message(), message(number="2")
    content = f"\x0bdump of 17 March\rPID|1\r\r{first}\x1c\rnoise\r\x0b{second}\x1c"
    found = rows(tmp_path / "a.hl7", content, NAMES)
    assert faults(found) == [":1 FM784 lines", ":6 FM784 between"]
    assert found[0].faults[0].args == {"line": 1, "last": 2}
    assert [row.is_lost for row in found] == [True, False, True, False]


def test_frames_of_mllp(tmp_path: Path) -> None:
    content = "".join(f"\x0b{message('PID|1||||A', number=number)}\x1c\r" for number in "123")
    found = rows(tmp_path / "a.hl7", content, NAMES)
    assert [(row.cells["MSH"]["10"], row.place) for row in found] == [("1", ":1"), ("2", ":4"), ("3", ":7")]
    assert faults(found) == []
    cut_off = rows(tmp_path / "a.hl7", content[:-2], NAMES)
    assert faults(cut_off) == [":7 FM784 frame"]


def batch(*messages: str, count: str = "", batches: str = "1") -> str:
    """A file of one batch."""
    ends = f"BTS|{count}\rFTS|{batches}\r"
    return "FHS|^~\\&|A\rBHS|^~\\&|A\r" + "".join(messages) + ends


def test_batches(tmp_path: Path) -> None:
    two = message("PID|1"), message("PID|1", number="2")
    assert faults(rows(tmp_path / "a.hl7", batch(*two, count="2"), NAMES)) == []
    assert faults(rows(tmp_path / "a.hl7", batch(*two), NAMES)) == []
    assert faults(rows(tmp_path / "a.hl7", batch(*two, count="2") * 2, NAMES)) == []
    assert faults(rows(tmp_path / "a.hl7", "FHS|^~\\&\r" + "".join(two) + "FTS|1\r", NAMES)) == []
    found = rows(tmp_path / "a.hl7", batch(*two, count="3"), NAMES)
    assert faults(found) == [":7 FM784 count"]
    assert (found[-1].is_lost, found[-1].faults[0].args) == (True, {"line": 7, "found": 2})
    assert faults(rows(tmp_path / "a.hl7", batch(*two, count="many", batches="2"), NAMES)) == [
        ":7 FM784 count",
        ":8 FM784 batches",
    ]


def test_batches_of_several_separators(tmp_path: Path) -> None:
    content = "BHS$%~\\&$A\r" + message() + "BTS$1$end\r"
    assert faults(rows(tmp_path / "a.hl7", content, NAMES)) == []


def test_a_batch_without_its_end_was_cut_off(tmp_path: Path) -> None:
    content = batch(message("PID|1"))
    cut_off = content[: content.index("BTS")]
    assert faults(rows(tmp_path / "a.hl7", cut_off, NAMES)) == [":1 FM784 unended", ":2 FM784 unended"]
    assert faults(rows(tmp_path / "a.hl7", cut_off + batch(message("PID|1")), NAMES)) == [
        ":1 FM784 unended",
        ":2 FM784 unended",
    ]


@pytest.mark.parametrize("content", ["", "\r\n", "id;name\n1;A\n", "FHS|^~\\&\rFTS|0"])
def test_a_file_without_a_message_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rows(tmp_path / "a.hl7", content, NAMES)
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM784", "none")


# --- encodings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("UNICODE UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        ("8859/1", "latin-1"),
        ("8859/1", "cp1252"),
        ("8859/15", "iso8859-15"),
        ("8859/15~UNICODE UTF-8", "iso8859-15"),
        ("GB 18030-2000", "gb18030"),
        ("", "utf-8"),
        ("ASCII", "utf-8"),
    ],
)
def test_a_message_names_its_encoding(tmp_path: Path, charset: str, encoding: str) -> None:
    raw = message("PID|1||||Noël", charset=charset).encode(encoding)
    (found,) = rows(tmp_path / "a.hl7", raw, NAMES)
    assert (found.cells["PID"]["5"], found.faults) == ("Noël", [])


def test_messages_of_a_file_may_differ(tmp_path: Path) -> None:
    raw = message("PID|1||||Noël", charset="8859/1").encode("latin-1") + message("PID|1||||Noël").encode()
    found = rows(tmp_path / "a.hl7", raw, NAMES)
    assert [row.cells["PID"]["5"] for row in found] == ["Noël", "Noël"]
    assert faults(found) == []


def test_the_models_encoding_is_of_messages_that_name_none(tmp_path: Path) -> None:
    raw = message("PID|1||||Noël").encode("cp1252")
    (found,) = rows(tmp_path / "a.hl7", raw, plan("PID.5", encoding="cp1252"))
    assert (found.cells["PID"]["5"], found.faults) == ("Noël", [])
    with pytest.raises(ConfigError) as caught:
        rows(tmp_path / "a.hl7", raw, NAMES)
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM705", "message")
    with pytest.raises(ConfigError) as caught:
        rows(tmp_path / "a.hl7", message("PID|1||||Noël").encode(), plan("PID.5", encoding="cp1252"))
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM705", "utf8")
    with pytest.raises(ConfigError) as caught:
        rows(tmp_path / "a.hl7", raw, plan("PID.5", encoding="utf-7777"))
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM705", "unknown")


def test_a_header_that_is_wrong_about_its_encoding(tmp_path: Path) -> None:
    raw = message("PID|1||||Noël", charset="8859/1").encode()
    found = rows(tmp_path / "a.hl7", raw, NAMES)
    assert faults(found) == [":1 FM723 bytes PID.5"]
    assert found[0].cells["PID"].get("5") is None
    # The map's word, where the message's is wrong and this one is right.
    (found_by_map,) = rows(tmp_path / "a.hl7", raw, plan("PID.5", encoding="utf-8"))
    assert (found_by_map.cells["PID"]["5"], found_by_map.faults) == ("Noël", [])


def test_an_unknown_character_set_is_a_fault(tmp_path: Path) -> None:
    raw = message("PID|1||||Noël", charset="ISO IR87").encode()
    assert faults(rows(tmp_path / "a.hl7", raw, NAMES)) == [":1 FM784 charset"]
    assert faults(rows(tmp_path / "a.hl7", raw, plan("PID.5", encoding="utf-8"))) == []
    assert faults(rows(tmp_path / "a.hl7", message("PID|1||||Noel", charset="ISO IR87"), NAMES)) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_byte_order_marks(tmp_path: Path, encoding: str) -> None:
    raw = (message("PID|1||||Noël", charset="UNICODE", end="\r\n") + header("2")).encode(encoding)
    found = rows(tmp_path / "a.hl7", raw, plan("PID.5", encoding="cp1252"))
    assert (found[0].cells["PID"]["5"], found[1].place, faults(found)) == ("Noël", ":3", [])


def test_damage_is_its_fields_own_fault(tmp_path: Path) -> None:
    good = message("PID|1||||Noël").encode() * 3
    raw = good + message("PID|1||||No\udcebl||A", "NTE|1|\udceb").encode("utf-8", "surrogateescape")
    found = rows(tmp_path / "a.hl7", raw, plan("PID.5", "PID.7"))
    assert faults(found) == [":7 FM723 bytes PID.5"]
    assert found[3].faults[0].args == {"column": "PID.5", "line": 8, "encoding": "utf-8"}
    assert (found[3].cells["PID"].get("5"), found[3].cells["PID"]["7"]) == (None, "A")
    assert faults(rows(tmp_path / "a.hl7", message("PID|1||||A\0B"), NAMES)) == [":1 FM723 PID.5"]
