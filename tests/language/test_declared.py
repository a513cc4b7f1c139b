"""Names that a text with syntax errors declares, also where the declaration could not be read."""

from __future__ import annotations

from fhirmap.diagnostics import SubjectKind
from fhirmap.language.parser import parse

BROKEN = """imports "http://example.org/StructureMap/lib"
uses "http://example.org/P" alias P as target
conceptmap "sex" { prefix s = = }
model Row from table 't' { id : string 1..1, born : date }
group main(source src : Row, target tgt : P) { src.id -> -> 'group text(x)'; } // group comment(x)
group other(source src target tgt) { }
"""


def test_names_of_a_broken_text() -> None:
    tree, found = parse(BROKEN)
    assert found
    names = {(subject.kind, subject.name) for subject, _ in tree.declared}
    assert {
        (SubjectKind.IMPORT, "http://example.org/StructureMap/lib"),
        (SubjectKind.MODEL, "P"),
        (SubjectKind.CONCEPT_MAP, "sex"),
        (SubjectKind.PREFIX, "s"),
        (SubjectKind.MODEL, "Row"),
        (SubjectKind.ELEMENT, "id"),
        (SubjectKind.ELEMENT, "born"),
        (SubjectKind.GROUP, "main"),
        (SubjectKind.GROUP, "other"),
    } <= names
    assert {name for kind, name in names if kind is SubjectKind.GROUP} == {"main", "other"}


def test_a_text_that_was_read_needs_none() -> None:
    assert parse("group main(source src, target tgt) { src.a -> tgt.b; }")[0].declared == ()
