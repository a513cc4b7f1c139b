"""Long runs of rows of a concept map: the same nodes, faults and text as row by row, without a token for each."""

from __future__ import annotations

from dataclasses import fields

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.diagnostics import Diagnostic
from fhirmap.language import nodes as n
from fhirmap.language import reader
from fhirmap.language.code_rows import LEAST, CodeRows
from fhirmap.language.format import format_map
from fhirmap.language.parser import parse
from fhirmap.language.reader import Reader

RELATIONS = ("==", "-", "=", "!=", "<=", "<-", ">=", ">-", "~")
PLAIN = [f"  s:a{row} {RELATIONS[row % 9]} t:b{row}\n" for row in range(LEAST + 20)]
MAP = """/// url = 'https://a.example/StructureMap/m'
conceptmap "c" {
  prefix s = "urn:s"
  prefix t = "urn:t"
ROWS}
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
group g(source src, target tgt : Patient) { src.v as v -> tgt.language = translate(v, '#c', 'code'); }
"""
ROWS = {
    "plain": PLAIN,
    "quoted": [f"s:'a {row}' == t:\"b'{row}\";\n" for row in range(LEAST + 20)],
    "numbers": [f"\ts:{row} == t:0{row} ;\r\n" for row in range(LEAST + 20)],
    "comments": [*PLAIN, "  // more\n", *(line.replace("s:a", "s:c") for line in PLAIN), "  s:x -- t:y\n"],
    "policies": [*PLAIN, "  unmapped for s = error\n", *(line.replace("s:a", "s:d") for line in PLAIN)],
    "two a line": [*PLAIN, "  s:x == t:y s:z == t:w\n", *(line.replace("s:a", "s:e") for line in PLAIN)],
    "commented out": ["/*\n", *PLAIN, "*/\n", "  s:x == t:y\n"],
    "a wrong row": [*PLAIN, "  s:x == \n", *PLAIN],
    "a wrong prefix": [*PLAIN, "  sx == t:y\n", *PLAIN],
    "a word of the grammar": [*PLAIN, "  s:true == t:for\n", "  prefix:a == t:b\n"],
    "unclosed": [*PLAIN, "\n// no end\n"],
}


def read(text: str) -> tuple[n.Map, tuple[Diagnostic, ...]]:
    return parse(text, "m.map")


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS.keys())
def test_a_run_is_what_its_rows_are(rows: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = MAP.replace("ROWS", "".join(rows))
    if "no end" in text:
        text = text.partition("}")[0]
    tree, found = read(text)
    with monkeypatch.context() as patched:
        patched.setattr(reader, "long_run", lambda _text, _at: None)
        wanted, faults = read(text)
    assert format_map(tree) == format_map(wanted)
    assert [shown(entry) for entry in found] == [shown(entry) for entry in faults]
    for run, each in zip(tree.concept_maps, wanted.concept_maps, strict=True):
        for name in (field.name for field in fields(n.ConceptMapDeclaration) if not field.name.endswith("span")):
            assert getattr(run, name) == getattr(each, name), name
        assert [spans(code) for code in run.codes] == [spans(code) for code in each.codes]
        assert len(run.codes) == len(each.codes)


def shown(entry: Diagnostic) -> tuple[object, ...]:
    return entry.code, entry.message, entry.hint_text, entry.span and entry.span.position


def spans(code: n.ConceptMapCode) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in (code.span, code.source_span, code.target_span)]


def test_rows_of_a_run_are_no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = 0
    feed = Reader.feed

    def counted(self: Reader, token: object) -> bool:
        nonlocal fed
        fed += 1
        return feed(self, token)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "feed", counted)
    tree, _ = read(MAP.replace("ROWS", "".join(f"s:a{row} == t:b{row}\n" for row in range(20_000))))
    assert isinstance(tree.concept_maps[0].codes, CodeRows)
    assert fed < 200


def test_every_row_translates() -> None:
    text = MAP.replace("ROWS", "".join(f"s:a{row} == t:b{row}\n" for row in range(LEAST + 20)))
    transform = compile_map(text, name="m.map")
    for row in (0, 1, LEAST, LEAST + 18, LEAST + 19):
        assert transform({"v": f"a{row}"}).resource == {"resourceType": "Patient", "language": f"b{row}"}
