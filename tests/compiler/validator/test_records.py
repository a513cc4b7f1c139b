"""On every record of the three reference data sets the validator and the independent programs agree.

Invariants: the guide's own expressions through fhirpathpy. Base types: fhir.resources (see `test_independent` for
where that library is not right). Contract: what is left is for `required`, cardinality and bindings, which neither of
them knows.
"""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source
from tests.compiler.validator.test_independent import broken_by_oracle, oracle_rules, rejects

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
BASE_TYPE_CODES = frozenset({"FM500", "FM501", "FM502", "FM503", "FM506", "FM507"})


@pytest.mark.parametrize(
    ("example", "data", "records"),
    [
        ("ch-valmorel", "a_ch_valmorel.sqlite", 215),
        ("clinique-sainte-aubierge", "b_clinique.json", 52),
        ("export-pharmacie", "c_export_pharmacie.csv", 40),
    ],
)
def test_the_validator_agrees_with_independent_programs(
    shared_dir: Path, example: str, data: str, records: int
) -> None:
    source = shared_dir / "renacot" / "sih" / data
    engine = build_engine(load_project(EXAMPLES / example, source=str(source)))
    seen = validated = 0
    with open_project_source(engine.project, engine.plan) as opened:
        for record in opened.records():
            seen += 1
            result = engine.result(record)
            if result.resource is None:
                continue
            validated += 1
            ours = {fault.rule for fault in result.faults if fault.rule in oracle_rules()}
            assert ours == broken_by_oracle(result.resource), record.key
            has_form_fault = any(fault.code in BASE_TYPE_CODES for fault in result.faults)
            assert has_form_fault is rejects(copy.deepcopy(result.resource)), record.key
    assert seen == records
    assert validated > records / 2
