"""What the writers of one resource share."""

from __future__ import annotations

from fhirmap.interchange.structure_map.resource_writing import declared_names
from fhirmap.language.parser import parse


def test_declared_names_are_variables_parameters_and_constants() -> None:
    text = "let c = 1;\ngroup g(source src, target tgt) { src.a as v where (b) -> tgt.x as w, w.y = v; }\n"
    tree, diagnostics = parse(text)
    assert not diagnostics
    assert declared_names(tree) == {"c", "src", "tgt", "v", "w"}
