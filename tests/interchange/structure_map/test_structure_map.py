"""A map that went through its resource is the same map."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import sampled_from

from fhirmap.interchange.formats import json_text
from fhirmap.interchange.structure_map import (
    FhirVersion,
    structure_map_to_text,
    write_structure_map,
)
from fhirmap.language import nodes as n
from fhirmap.language.format import format_map
from fhirmap.language.parser import parse
from tests.interchange.structure_map.written import (
    VERSIONS,
    corpus,
    through,
)
from tests.language import strategies
from tests.language.corpus import CONSTRUCTS, suite_maps

_QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=100)


def check_stable(text: str, version: FhirVersion) -> None:
    back, resource = through(text, version)
    again, second = through(back, version)
    assert second == resource
    assert again == back


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", corpus(None), ids=lambda path: path.name)
def test_own_maps_are_stable(path: Path, version: FhirVersion) -> None:
    check_stable(path.read_text(encoding="utf-8"), version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("text", CONSTRUCTS, ids=("modern", "legacy", "models"))
def test_every_construct_is_stable(text: str, version: FhirVersion) -> None:
    check_stable(text, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_suite_is_stable(shared_dir: Path, version: FhirVersion) -> None:
    paths = suite_maps(shared_dir)
    assert len(paths) > 40
    for path in paths:
        check_stable(path.read_text(encoding="utf-8-sig"), version)


@_QUIET
@given(tree=strategies.maps, version=sampled_from(VERSIONS))
def test_any_map_is_stable(tree: n.Map, version: FhirVersion) -> None:
    text = format_map(tree)
    if any(entry.is_error for entry in parse(text)[1]):
        return
    first = write_structure_map(parse(text)[0], version)
    back, _ = structure_map_to_text(json.loads(json_text(first.resource), parse_float=Decimal), "map.json")
    parsed, reported = parse(back)
    assert not [entry.message for entry in reported if entry.is_error], back
    second = write_structure_map(parsed, version)
    again, _ = structure_map_to_text(json.loads(json_text(second.resource), parse_float=Decimal), "map.json")
    third = write_structure_map(parse(again)[0], version)
    assert third.resource == second.resource
