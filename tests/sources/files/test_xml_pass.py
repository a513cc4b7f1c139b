"""One reading of a document: records in order, what their ancestors have, lines, and memory."""

from __future__ import annotations

import copy
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fhirmap.errors import ConfigError
from fhirmap.sources.files import xml_pass, xml_text
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.files.xml_reader import XmlReader
from tests.sources.files.documents import document, plain, plan_of, read, trees


def test_records_are_the_elements_at_the_whole_path_alone(tmp_path: Path) -> None:
    text = "<r><c>0</c><a><c>1</c><b><c>no</c></b><c><c>inner</c></c></a><c><c>no</c></c><a><c>3</c></a></r>"
    assert trees(document(tmp_path, text), plan_of("r.a.c")) == [{"#text": "1"}, {"c": "inner"}, {"#text": "3"}]


def test_the_root_may_be_the_record_and_needs_no_path(tmp_path: Path) -> None:
    file = document(tmp_path, "<r><r>1</r><n>2</n></r>")
    for name in ("r", ""):
        (row,) = read(file, plan_of(name, "r", "n"))
        assert (row.cells, row.place, row.number) == ({"r": "1", "n": "2"}, ":1", 1)


def test_a_mark_of_a_list_says_nothing_more(tmp_path: Path) -> None:
    assert trees(document(tmp_path, "<r><a><c>1</c></a><a><c>2</c></a></r>"), plan_of("r.a[].c[]")) == [
        {"#text": "1"},
        {"#text": "2"},
    ]


def above(file: SourceFile, path: str, *names: str) -> list[Any]:
    """What the records have under `..`."""
    return [plain(row.cells[".."]) for row in read(file, plan_of(path, *names))]


HEADED = '<r u="1"><h>x</h><big><h>not</h></big><a v="2"><k>p</k><c/><c/></a><h2/><a><c/></a><t>end</t></r>'


def test_ancestors_have_their_attributes_and_what_is_asked_for(tmp_path: Path) -> None:
    file = document(tmp_path, HEADED)
    assert above(file, "r.a.c", "../k", "../../h") == [
        {"@v": "2", "k": "p", "..": {"@u": "1", "h": "x"}},
        {"@v": "2", "k": "p", "..": {"@u": "1", "h": "x"}},
        {"..": {"@u": "1", "h": "x"}},
    ]
    assert above(file, "r.a.c") == [{"@v": "2", "..": {"@u": "1"}}] * 2 + [{"..": {"@u": "1"}}]


def test_what_comes_after_a_record_is_there_as_well(tmp_path: Path) -> None:
    file = document(tmp_path, HEADED)
    assert [entry[".."] for entry in above(file, "r.a.c", "../../t.x")] == [{"@u": "1", "t": "end"}] * 3
    text = "<r><a><c/><k>1</k><c/><k>2</k></a><a><k>0</k><c/></a><a><c/></a></r>"
    assert [entry.get("k") for entry in above(document(tmp_path, text), "r.a.c", "../k")] == [
        ["1", "2"],
        ["1", "2"],
        "0",
        None,
    ]


def test_a_child_of_an_ancestor_is_a_tree(tmp_path: Path) -> None:
    text = '<r><p><ids><id t="I">7</id></ids></p><c/></r>'
    assert above(document(tmp_path, text), "r.c", "../p.ids.id") == [
        {"p": {"ids": {"id": ("7", {"@t": "I", "#text": "7"})}}}
    ]


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 16])
@pytest.mark.parametrize("seed", range(12))
def test_a_document_in_pieces_is_read_as_it_is_read_whole(
    tmp_path: Path, seed: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random.seed(seed)
    root = element("r", 0)
    root.append(ElementTree.fromstring('<a><x/><c v="1">last</c><y><x>1</x></y></a>'))
    text = written(root)
    file = document(tmp_path, text)
    monkeypatch.setattr(xml_text.XmlText.fed, "__defaults__", (piece,))
    found = [
        (plain(row.cells), row.place)
        for row in read(file, plan_of("r.a.c", *"acxyz", "#text", "../x", "../y.x", "../../x", "../../y"))
    ]
    assert found == list(expected(text))


def element(name: str, depth: int) -> ElementTree.Element:
    made = ElementTree.Element(name, {"u": str(random.randrange(9))} if random.random() < 0.3 else {})
    made.text = random.choice([None, "\n ", "t", " t\n"])
    for _ in range(random.randrange(2, 7) if depth < 2 else random.randrange(4) if depth < 4 else 0):
        child = element(random.choice(("aaaaxyz", "ccccaxyz", "acxyz", "acxyz")[depth]), depth + 1)
        child.tail = random.choice([None, "\n", "\n\n ", " w"])
        made.append(child)
    return made


def written(root: ElementTree.Element) -> str:
    return ElementTree.tostring(root, encoding="unicode")


def expected(text: str) -> Iterator[tuple[Any, str]]:
    """The rows of the whole document at once, by another parser."""
    root = ElementTree.fromstring(text)
    lines = iter(lines_of_records(text))
    top = {**attributes(root), **asked(root, "xy", "a")}
    for a in root.findall("a"):
        parent = {**attributes(a), "..": top, **asked(a, "xy", "c")}
        for c in a.findall("c"):
            value = tree(c)
            cells = (
                value[1] if isinstance(value, tuple) else {"#text": value} if isinstance(value, str) else value or {}
            )
            yield {**cells, "..": parent}, f":{next(lines)}"


def lines_of_records(text: str) -> list[int]:
    parser: Any = ElementTree.XMLPullParser(("start", "end"))
    found: list[int] = []
    open_names: list[str] = []
    for place, sign in enumerate(text):
        parser.feed(sign)
        for event, entry in parser.read_events():
            open_names += [entry.tag] if event == "start" else []
            if event == "start" and open_names == ["r", "a", "c"]:
                found.append(text.count("\n", 0, place) + 1)
            if event == "end":
                open_names.pop()
    return found


def attributes(entry: ElementTree.Element) -> dict[str, Any]:
    return {f"@{name}": value for name, value in entry.items()}


def asked(entry: ElementTree.Element, names: str, branch: str) -> dict[str, Any]:
    return {name: held for name, held in children(entry).items() if name in names and name != branch}


def children(entry: ElementTree.Element) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for child in entry:
        found.setdefault(child.tag, []).append(tree(child))
    return {name: held if len(held) > 1 else held[0] for name, held in found.items()}


def tree(entry: ElementTree.Element) -> Any:
    members = {**attributes(entry), **children(entry)}
    own = [entry.text, *(child.tail for child in entry)]
    if not len(entry):
        if not members:
            return entry.text
        return (entry.text or "", {**members, "#text": entry.text} if entry.text else members)
    text = text_of(entry)
    return (text, {**members, "#text": text}) if any(part and part.strip() for part in own) else members


def text_of(entry: ElementTree.Element) -> str:
    """All texts, a line break for an empty element between two of them."""
    marked = copy.deepcopy(entry)
    for inner in marked.iter():
        if not len(inner) and not inner.text:
            inner.text = "\0"
    text = "".join(marked.itertext())
    start, end = len(text) - len(text.lstrip("\0 \n")), len(text.rstrip("\0 \n"))
    return text[:start].replace("\0", "") + text[start:end].replace("\0", "\n") + text[end:].replace("\0", "")


def test_lines_are_right_in_long_files(tmp_path: Path) -> None:
    filler = "<f>\n</f>" * 70_000
    text = f"<r>\n<c>1</c>{filler}\n<c>\n  <a>2</a>\n</c>\n<c><a>3</a></c>\n\n<c/></r>"
    file = document(tmp_path, text)
    first = [1 + text.count("\n", 0, place) for place in range(len(text)) if text.startswith("<c>", place)]
    assert [row.place for row in read(file, plan_of("r.c"))][:3] == [f":{line}" for line in first]


def big(path: Path, records: int, foreign: int) -> SourceFile:
    """A file of records between elements that no map reads, one of them as large as ``foreign`` says."""
    with path.open("w") as file:
        file.write("<r><h>x</h><other>")
        for number in range(foreign):
            file.write(f"<deep><n>{number}</n><t>{'x' * 100}</t></deep>")
        file.write("</other>")
        for number in range(records):
            file.write(f"<c><id>{number}</id><v>{'y' * 200}</v></c><junk a='1'/>")
        file.write("<end>z</end></r>")
    return SourceFile(path, "big.xml", "big.xml")


@pytest.mark.parametrize(("records", "foreign"), [(30_000, 0), (100, 60_000)])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, records: int, foreign: int) -> None:
    file = big(tmp_path / "big.xml", records, foreign)
    reader = XmlReader(file, plan_of("r.c", "id", "../end"))
    tracemalloc.start()
    before = resident_bytes()
    seen = 0
    for row in reader.rows(["id", "../end"]):
        assert row.cells[".."] == {"end": "z"}
        seen += 1
    grown = resident_bytes() - before
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == records
    assert file.path.stat().st_size > 7_000_000
    assert peak < 4_000_000
    assert grown < 6_000_000


def resident_bytes() -> int:
    """What libxml2 holds is not seen by Python."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("no /proc: the memory of the process cannot be read")
    return int(statm.read_text().split()[1]) * 4096


def test_a_record_that_does_not_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_pass, "_LARGEST", 300_000)
    inside = "<v>y</v>" * 60_000
    for text, line in ((f"<r>\n<c>{inside}</c></r>", 2), (f"<r>\n\n<h>{inside}</h><c/></r>", 3)):
        with pytest.raises(ConfigError) as caught:
            read(document(tmp_path, text), plan_of("r.c", "../h"))
        entry = caught.value.diagnostic()
        assert (entry.code, entry.variant, entry.args["line"]) == ("FM780", "large", line)
    assert len(read(document(tmp_path, f"<r><h>{inside}</h><c/></r>"), plan_of("r.c"))) == 1
    assert len(read(document(tmp_path, f"<r>{'<c>z</c>' * 60_000}</r>"), plan_of("r.c"))) == 60_000
