"""Tracebacks show the map's lines as long as a transformer of it lives, and nothing stays afterwards."""

from __future__ import annotations

import gc
import linecache
import traceback
from pathlib import Path

import pytest

import fhirmap

MAP = (
    'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
    "model Person { born : string }\n"
    "group person(source src : Person, target tgt : Patient) {\n"
    "  src.born as b -> tgt.birthDate = toDate(b, '%s') \"born\";\n"
    "}\n"
)


def compiled(form: str = "yyyy") -> fhirmap.Transformer:
    return fhirmap.compile_map(MAP % form, validate=False)


def shown(transformer: fhirmap.Transformer) -> str:
    with pytest.raises(fhirmap.FhirmapError) as caught:
        transformer({"born": "x"}, strict=True)
    return "".join(traceback.format_exception(caught.value))


def test_compiling_leaves_nothing_in_memory() -> None:
    compiled()
    gc.collect()
    before = set(linecache.cache)
    for number in range(20):
        compiled("yyyy" + "-" * number)
    gc.collect()
    assert set(linecache.cache) == before


def test_a_traceback_shows_the_map() -> None:
    assert "tgt.birthDate = toDate(b, 'yyyy')" in shown(compiled())


def test_the_lines_of_one_map_stay_while_one_of_its_transformers_lives() -> None:
    first, second = compiled(), compiled()
    del first
    gc.collect()
    assert "toDate(b, 'yyyy')" in shown(second)


def test_an_edited_copy_under_the_same_name_leaves_the_lines_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "person.map"
    path.write_text(MAP % "yyyy", encoding="utf-8")
    first = fhirmap.compile_map(path, validate=False)
    path.write_text(MAP % "dd/MM/yyyy", encoding="utf-8")
    second = fhirmap.compile_map(path, validate=False)
    assert "'dd/MM/yyyy'" in shown(second)
    del second
    gc.collect()
    assert "'yyyy'" in shown(first)
