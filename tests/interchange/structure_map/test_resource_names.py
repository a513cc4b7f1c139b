"""Names as ids."""

from __future__ import annotations

from fhirmap.interchange.formats import json_text
from fhirmap.interchange.structure_map import (
    structure_map_to_text,
    write_structure_map,
)
from fhirmap.language.parser import parse
from tests.interchange.structure_map.written import (
    HEAD,
    codes,
    written,
)


def test_names_become_ids_everywhere() -> None:
    targets = "tgt.b = (%my_var & x), tgt.c = my_var then my_group(my_var, tgt)"
    line = f"src.a as my_var where (my_var > min_value) -> {targets};"
    text = f"{HEAD}let min_value = 1;\ngroup my_group(source src, target tgt) {{ {line} }}\n"
    found = write_structure_map(parse(text)[0], "R5")
    assert codes(found) == ["FM041", "FM041", "FM041"]
    assert "_" not in json_text(found.resource)
    assert "where (myVar > minValue)" in structure_map_to_text(found.resource, "x")[0]


def test_a_name_that_may_be_an_element_is_kept() -> None:
    found = written("src.my_var as my_var where (my_var > 1) -> tgt.b = my_var;")
    assert codes(found) == ["FM041kept"]
