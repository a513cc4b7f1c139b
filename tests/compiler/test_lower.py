"""A plan has a reader, a function for each group that is reached, and the table of places."""

from __future__ import annotations

from fhirmap.compilation.program import check_maps
from fhirmap.compiler import python as py
from fhirmap.compiler.lower import Lowered, lower
from fhirmap.compiler.plan import ModuleConstant, ModuleSection
from tests.compiler.generated import MODEL, PART, PATIENT

MAP = (
    PATIENT
    + MODEL
    + PART
    + "group g(source src : Row, target tgt : Patient) { src.a as v -> tgt.id = v; src.part as p then h(p, tgt); }\n"
    + "group h(source src : Part, target tgt : Patient) { src.x as v -> tgt.language = v; }\n"
    + "group unused(source src : Part, target tgt : Patient) { src.x as v -> tgt.language = v; }\n"
)


def lowered(text: str, *, validator: ModuleSection | None = None, trace: bool = False) -> Lowered:
    maps = check_maps(text)
    assert not maps.has_errors
    return lower(maps.checked, digest="d", version="v", validator=validator, trace=trace)


def test_functions_of_a_module() -> None:
    found = lowered(MAP)
    names = [str(function.name) for function in found.module.functions]
    assert names == ["read_part", "read_part_2", "_read", "g", "h", "_in_one_pass", "_transform"]
    assert set(found.texts) == set(names) - {"_in_one_pass", "_transform"}


def test_places_say_which_rule_and_columns_an_element_comes_from() -> None:
    places = next(entry for entry in lowered(MAP).module.constants if str(entry.name) == "_places")
    assert "'Patient.id': ('<string>:4:65', ('a',))" in str(places.value)
    assert "'Patient.language':" in str(places.value)


def test_constants_of_a_validator_are_not_hidden_by_those_of_a_map() -> None:
    codes = 'conceptmap "my codes" { prefix s = "urn:s"\n s:M - s:male\n }\n'
    text = PATIENT + codes + MODEL + PART
    rule = "src.a as v -> tgt.gender = translate(v, '#my codes', 'code');"
    text += f"group g(source src : Row, target tgt : Patient) {{ {rule} }}\n"
    own = next(entry for entry in lowered(text).module.constants if entry.comment == "Concept map my codes.")
    validator = ModuleSection((ModuleConstant(own.name, py.Literal("of the validator")),), "Contract")
    names = [entry.name for entry in lowered(text, validator=validator).module.constants]
    assert own.name not in names


def test_a_module_for_tracing_has_a_table_of_points() -> None:
    assert "_points" not in {str(entry.name) for entry in lowered(MAP).module.constants}
    assert "_points" in {str(entry.name) for entry in lowered(MAP, trace=True).module.constants}
