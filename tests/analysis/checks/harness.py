"""One check on its own: what it reports of a map, and short maps to ask it about."""

# ruff: noqa: E501  maps of one line a rule

from __future__ import annotations

from collections.abc import Mapping

from fhirmap.analysis.check import check as check_program
from fhirmap.analysis.checks import Check
from fhirmap.analysis.workspace import load
from fhirmap.diagnostics import MapText
from fhirmap.language.parser import parse
from fhirmap.model.definition import Definitions
from tests.analysis.harness import definitions, functions, library

PATIENT = 'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
GENDER = "http://hl7.org/fhir/administrative-gender"
SIDE = "https://fhir.orthense.com/CodeSystem/lateralite"
DECLARATION = """uses "https://fhir.orthense.com/StructureDefinition/InterventionInputParametersBaseProfile" alias D as target
model Operation { nir : string 1..1  rpps : string 1..1  finess : string 1..1  day : date 1..1  side : code 0..1
  parts : Part 1..* }
model Part { udi : string 1..1  lot : string 1..1  kind : code 1..1 }
group declaration(source src : Operation, target tgt : D) {
  src.nir as v -> tgt.parameter as p, p.name = 'nir', p.value = v;
  src.rpps as v -> tgt.parameter as p, p.name = 'rpps', p.value = v;
  src.finess as v -> tgt.parameter as p, p.name = 'finessGeographique', p.value = v;
  src.day as v -> tgt.parameter as p, p.name = 'dateIntervention', p.value = v;
  src.side as v -> tgt.parameter as p, p.name = 'lateralite', p.value = cc('https://fhir.orthense.com/CodeSystem/lateralite', v);
  src -> tgt.parameter as p, p.name = 'typeProcedure', p.value = cc('http://snomed.info/sct', '19063003');
  src.parts as part -> tgt.parameter as p, p.name = 'implants' then implant(part, p);
}
group implant(source src : Part, target tgt) {
  src.udi as v -> tgt.part as q, q.name = 'udi', q.value = v;
  src.lot as v -> tgt.part as q, q.name = 'lot', q.value = v;
  src.kind as v -> tgt.part as q, q.name = 'type', q.value = cc('https://fhir.orthense.com/CodeSystem/implant-types', v);
}
"""
"""A whole declaration, right in every part."""

OBSERVATION = """uses "http://hl7.org/fhir/StructureDefinition/Observation" alias Observation as source
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
group main(source src : Observation, target tgt : Patient) { src.RULE; }
"""
"""A map of one rule, put in for `RULE`, from an observation to a patient."""


def reported(
    check: Check,
    *texts: str,
    files: Mapping[str, bytes] | None = None,
    maps: Mapping[str, str] | None = None,
    known: Definitions | None = None,
) -> list[str]:
    """What ``check`` reports of a map, or of the stages of one: `FM162 join: the marked text`, in order.

    ``files``: what is beside the map. ``maps``: further maps that may be imported. ``known``: other definitions.
    """

    def read(_map: str, file: str) -> bytes:
        if file not in (files or {}):
            raise FileNotFoundError(2, "no such file", file)
        return (files or {})[file]

    parsed = [parse(text, f"map{number}.map") for number, text in enumerate(texts)]
    assert not [entry.message for _, found in parsed for entry in found]
    more = [MapText(name, text) for name, text in (maps or {}).items()]
    program = load(parsed, library=(*library(), *more), read=read)
    checked, _ = check_program(program, known or definitions(), functions())
    return [
        f"{entry.code}{f' {entry.variant}' if entry.variant else ''}: {entry.span.snippet if entry.span else ''}"
        for entry in check(checked)
    ]


def stored(elements: str = "", rules: str = "", *, store: str = "table 'people' key 'id'", more: str = "") -> str:
    """A map from a stored model with an ``id`` to a patient."""
    return (
        f"{PATIENT}model Row from {store} {{ id : string 1..1 from 'id'\n{elements} }}\n{more}\n"
        f"group row(source src : Row, target tgt : Patient) {{\n  src.id as v -> tgt.id = v;\n{rules}\n}}\n"
    )


def copied(element: str, *, store: str = "table 'people' key 'id'") -> str:
    """A map that reads the model's element ``x``, declared by ``element``."""
    return stored(f"x : {element}", "src.x as v -> tgt.language = v;", store=store)


def concept_map(entries: str, rules: str = "", *, head: str = "") -> str:
    """A map with the concept map ``sex``, which a rule uses unless ``rules`` are given."""
    use = rules or "src.x as v -> tgt.gender = translate(v, '#sex', 'code');"
    return f'conceptmap "sex" {head}{{ {entries} }}\n' + stored("x : code 0..1", use)


IMPORTING = stored().replace(PATIENT, f'{PATIENT}imports "http://example.org/StructureMap/lent"\n')
"""A map that imports another one, of which it uses nothing."""
LENT = """/// url = 'http://example.org/StructureMap/lent'
group lent(source src, target tgt) { src -> tgt.language = 'fr'; }
"""
