"""FHIRPath, twelve expressions over resources: `python -m benchmarks.fhirpath`.

Ours is the Python that an expression becomes; the others are programs of other people, each where it is installed:
fhirpath.js (`npm install --prefix benchmarks`), fhirpathpy and fhirpathrs (the extra `bench`). What is parsed before
the first call is not timed; fhirpathrs parses each time, since it offers nothing else. Whoever gives another result is
named and not timed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, code_of
from benchmarks.timing import fastest
from fhirmap.compiler.fhirpath import compile_expression
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types

_SCRIPT = Path(__file__).with_name("fhirpath.js")
_ROUNDS = 15
_BUSY = 4_000
"""Microseconds that a round of one expression takes about."""
_LOINC = "http://loinc.org"


def _patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": "urn:x:nir", "value": "284051012345678"}, {"system": "urn:x:ipp", "value": "42"}],
        "name": [
            {"use": "official", "family": "Perrin", "given": ["Aline", "Marie"]},
            {"use": "usual", "family": "Duval", "given": ["Line"]},
        ],
        "telecom": [
            {"system": "phone", "value": "0102030405", "rank": 2},
            {"system": "phone", "value": "0602030405", "rank": 1},
        ],
        "birthDate": "1984-05-10",
        "contact": [{"name": {"family": "Duval"}}, {"telecom": [{"system": "phone", "value": "0708091011"}]}],
    }


def _observation(number: int) -> dict[str, Any]:
    """Blood pressure, weight and height by turns."""

    def quantity(code: str, value: int) -> dict[str, Any]:
        return {"code": {"coding": [{"system": _LOINC, "code": code}]}, "valueQuantity": {"value": value}}

    weighed = {"valueQuantity": {"value": 70 + number, "unit": "kg"}}
    measured = {"component": [quantity("8480-6", 120 + number), quantity("8462-4", 80)]}
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "category": [{"coding": [{"system": "urn:x:category", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": _LOINC, "code": ("85354-9", "29463-7", "8302-2")[number % 3]}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": f"2025-03-{number % 28 + 1:02}T08:15:00+01:00",
        **(weighed if number % 3 else measured),
    }


def _response() -> dict[str, Any]:
    def question(link: str) -> dict[str, Any]:
        return {"linkId": link, "answer": [{"valueString": f"to {link}"}]}

    sections = [{"linkId": f"s{s}", "item": [question(f"s{s}.{q}") for q in range(8)]} for s in range(4)]
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": sections}


def _bundle() -> dict[str, Any]:
    resources = [_patient(), *map(_observation, range(30))]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": entry} for entry in resources]}


_OBSERVATIONS = "entry.resource.ofType(Observation)"
EXPRESSIONS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("official name", _patient(), "name.where(use = 'official').given.first()"),
    ("telephone", _patient(), "telecom.where(system = 'phone' and rank = 1).value"),
    ("union", _patient(), "name.given | name.family"),
    ("date", _patient(), "birthDate <= @2007-03-15"),
    ("invariant", _patient(), "contact.all(name.exists() or telecom.exists() or address.exists())"),
    ("joined texts", _patient(), "name.select(given.first() & ' ' & family)"),
    ("component", _observation(0), "component.where(code.coding.exists(code = '8480-6')).value.ofType(Quantity).value"),
    ("moment", _observation(1), "effective.ofType(dateTime) >= @2025-01-01T00:00:00Z"),
    ("items of a form", _response(), "repeat(item).where(linkId = 's2.5').answer.value"),
    ("resources of a type", _bundle(), f"{_OBSERVATIONS}.code.coding.code.distinct()"),
    ("resources counted", _bundle(), f"{_OBSERVATIONS}.where(subject.reference = 'Patient/p1').count()"),
    ("descendants", _bundle(), "descendants().reference.distinct()"),
)
"""What it asks for, the resource, the expression."""

_Found = dict[str, tuple[Any, float]]
"""Expression -> what it gives, microseconds."""


def _ours(definitions: Definitions) -> _Found:
    return {
        text: _timed(partial(compile_expression(text, resource["resourceType"], definitions), resource))
        for _, resource, text in EXPRESSIONS
    }


def _timed(evaluate: Callable[[], Any]) -> tuple[Any, float]:
    first = fastest({"": evaluate}, 1, 2)[""]
    return evaluate(), fastest({"": evaluate}, _ROUNDS, max(1, int(_BUSY / (first + 0.01))))[""]


def _attempt(make: Callable[[], Callable[[], Any]]) -> tuple[Any, float]:
    try:
        return _timed(make())
    except Exception as error:  # noqa: BLE001 - what another program raises for an expression that it does not know
        return f"{type(error).__name__}: {str(error)[:60]}", 0.0


def _fhirpathpy() -> _Found:
    library, models = import_module("fhirpathpy"), import_module("fhirpathpy.models").models

    def made(text: str, resource: dict[str, Any]) -> Callable[[], Any]:
        return partial(library.compile(text, models["r4"]), resource)

    return {text: _attempt(partial(made, text, resource)) for _, resource, text in EXPRESSIONS}


def _fhirpathrs() -> _Found:
    library = import_module("fhirpathrs")

    def listed(text: str, resource: dict[str, Any]) -> list[Any]:
        found = library.evaluate(text, resource)
        return found if isinstance(found, list) else [found]

    def made(text: str, resource: dict[str, Any]) -> Callable[[], Any]:
        listed(text, resource)
        return partial(library.evaluate, text, resource)

    found: _Found = {}
    for _, resource, text in EXPRESSIONS:
        given, spent = _attempt(partial(made, text, resource))
        found[text] = (given if isinstance(given, list) or spent == 0.0 else [given], spent)
    return found


def _fhirpath_js() -> _Found:
    """By a process of node, which times itself in the same way; empty where the library is not installed."""
    given = json.dumps({"rounds": _ROUNDS, "busy": _BUSY, "jobs": [entry[1:] for entry in EXPRESSIONS]})
    done = subprocess.run(["node", str(_SCRIPT)], input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        return {}
    return {
        text: (found, spent) for (_, _, text), (found, spent) in zip(EXPRESSIONS, json.loads(done.stdout), strict=True)
    }


OTHERS: Mapping[str, tuple[Callable[[], _Found], Callable[[], bool], float]] = {
    "fhirpath.js": (_fhirpath_js, lambda: shutil.which("node") is not None, 1.0),
    "fhirpathpy": (_fhirpathpy, lambda: find_spec("fhirpathpy") is not None, 1 / 20),
    "fhirpathrs": (_fhirpathrs, lambda: find_spec("fhirpathrs") is not None, 1 / 2),
}
"""Program -> what measures it, whether it can be tried, and what part of its time ours is to take."""


def figures() -> Iterator[Figure]:
    """Measure and print."""
    ours = _ours(Definitions(base_types("R4")))
    others = {name: measure() if is_there() else {} for name, (measure, is_there, _) in OTHERS.items()}
    print("FHIRPath, microseconds of one evaluation; - where the program is not installed")
    print(f"  {'':22}{'ours':>10}" + "".join(f"{name:>14}" for name in others))
    for label, _, text in EXPRESSIONS:
        given, spent = ours[text]
        cells: list[str] = []
        for name, found in others.items():
            result, theirs = found.get(text, (None, 0.0))
            if text not in found:
                cells.append("-")
            elif theirs == 0.0 or result != given:
                cells.append("failed" if theirs == 0.0 else "other result")
            else:
                cells.append(f"{theirs:.2f}")
                yield Figure(f"FHIRPath, {label}, {name}", spent, "us", OTHERS[name][2], 15.0, theirs, name)
        print(f"  {label:22}{spent:10.2f}" + "".join(f"{cell:>14}" for cell in cells))


if __name__ == "__main__":
    raise SystemExit(code_of(list(figures())))
