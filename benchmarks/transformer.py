"""The generated transformer, measured: `python -m benchmarks.transformer`.

300 interventions of five implants in the layout of `examples/ch-valmorel`, raw rows to Parameters. Before anything is
timed, the generated code, `hand_written.declaration` and `expert_written.declaration` give equal resources for each,
the latter two equal remarks, and none has a fault. What the generated code does and the others do not: it reports cells
that are no values, and its map has more remarks. Without a validator, and with: the generated one, and an expert's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import expert_validator, expert_written, hand_written
from benchmarks.figures import Figure, code_of
from benchmarks.interventions import make_database
from benchmarks.timing import fastest
from fhirmap.compilation.maps import compile_map
from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source
from fhirmap.runtime.transformer import Transformer

ROOT = Path(__file__).resolve().parent.parent
INTERVENTIONS = 300
BOUND_RATIO, BOUND_TO_EXPERT, WANTED_RATIO, WANTED_VALID = 2.0, 2.8, 1.4, 1.5
"""What the generated transformer may cost, in times of the hand-written function and of the one an expert wrote; with
a validator, in times of the expert's function and the expert's validator."""


def rows() -> list[Mapping[str, Any]]:
    """Raw rows with their children, as the source yields them."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "sih.sqlite"
        make_database(database, INTERVENTIONS)
        engine = build_engine(load_project(ROOT / "examples" / "ch-valmorel", source=str(database)))
        with open_project_source(engine.project, engine.plan) as source:
            return [record.values for record in source.records()]


def generated(*, validate: bool = False) -> Transformer:
    """What is compiled of the maps of the example."""
    target = ROOT / "maps" / "renacot"
    return compile_map(
        ROOT / "examples" / "ch-valmorel" / "valmorel.map",
        target / "renacot.map",
        definitions=[target / "definitions"],
        validate=validate,
    )


def _by_an_expert(row: Mapping[str, Any]) -> list[str]:
    """What an expert's validator says of what an expert's function makes."""
    wrong: list[str] = []
    made, _ = expert_written.declaration(row)
    assert made is not None
    expert_validator.check(made, wrong, rules=True)
    return wrong


def figures() -> list[Figure]:
    """Check, measure, print."""
    transformer, records = generated(), rows()
    validating = generated(validate=True)
    for record in records:
        result = transformer(record)
        expected = hand_written.declaration(dict(record))
        assert result.resource == expected[0], "the generated code and the yardstick disagree"
        assert expert_written.declaration(record) == expected, "the yardsticks disagree"
        assert result.valid and not result.faults
        assert validating(record) == result and not _by_an_expert(record), "the validators disagree"
    ways: dict[str, Callable[[Mapping[str, Any]], object]] = {
        "by hand": lambda record: hand_written.declaration(dict(record)),
        "by an expert": expert_written.declaration,
        "generated": transformer,
        "by an expert, validated": _by_an_expert,
        "generated, validated": validating,
    }
    spent = dict.fromkeys(ways, 0.0)
    for record in records:
        times = fastest({name: partial(way, record) for name, way in ways.items()}, rounds=25, number=1)
        for name, time in times.items():
            spent[name] += time / len(records)
    print(f"transformer, {INTERVENTIONS} interventions of 5 implants, raw rows to Parameters, outputs equal")
    for name, time in spent.items():
        print(f"  {name:<24}{time:8.1f} us")
    job, ours = "a row to Parameters", spent["generated"]
    valid, both = spent["generated, validated"], spent["by an expert, validated"]
    return [
        Figure(job, ours, "us", WANTED_RATIO, BOUND_TO_EXPERT, spent["by an expert"], "an expert"),
        Figure(f"{job}, validated", valid, "us", WANTED_VALID, BOUND_TO_EXPERT, both, "an expert"),
        Figure(f"{job}, plainly", ours, "us", WANTED_RATIO, BOUND_RATIO, spent["by hand"], "by hand"),
    ]


if __name__ == "__main__":
    raise SystemExit(code_of(figures()))
