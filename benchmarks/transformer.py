"""The generated transformer, measured: `python -m benchmarks.transformer`.

300 interventions of five implants in the layout of `examples/ch-valmorel`, raw rows to Parameters. Before anything is
timed, the generated code, `hand_written.declaration` and `expert_written.declaration` give equal resources for each,
the latter two equal remarks, and none has a fault. The validator is left out of all. What the generated code does and
the others do not: it reports cells that are no values, and its map has more remarks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import expert_written, hand_written
from benchmarks.interventions import make_database
from benchmarks.timing import fastest
from fhirmap.compilation.maps import compile_map
from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source

ROOT = Path(__file__).resolve().parent.parent
INTERVENTIONS = 300
BOUND_RATIO = 2.0
"""What the generated transformer may cost, in times of the hand-written function."""
WANTED_RATIO = 1.4
"""What it is to cost one day, in times of the function that an expert wrote."""


def rows() -> list[Mapping[str, Any]]:
    """Raw rows with their children, as the source yields them."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "sih.sqlite"
        make_database(database, INTERVENTIONS)
        engine = build_engine(load_project(ROOT / "examples" / "ch-valmorel", source=str(database)))
        with open_project_source(engine.project, engine.plan) as source:
            return [record.values for record in source.records()]


def main() -> int:
    """Check, measure, print; 1 where the ratio is over its bound."""
    target = ROOT / "maps" / "renacot"
    transformer = compile_map(
        ROOT / "examples" / "ch-valmorel" / "valmorel.map",
        target / "renacot.map",
        definitions=[target / "definitions"],
        validate=False,
    )
    records = rows()
    for record in records:
        result = transformer(record)
        expected = hand_written.declaration(dict(record))
        assert result.resource == expected[0], "the generated code and the yardstick disagree"
        assert expert_written.declaration(record) == expected, "the yardsticks disagree"
        assert result.valid and not result.faults
    spent = dict.fromkeys(("by hand", "by an expert", "generated"), 0.0)
    for record in records:
        times = fastest(
            {
                "by hand": lambda given=record: hand_written.declaration(given),  # type: ignore[misc]
                "by an expert": lambda given=record: expert_written.declaration(given),  # type: ignore[misc]
                "generated": lambda given=record: transformer(given),  # type: ignore[misc]
            },
            rounds=25,
            number=1,
        )
        for way, time in times.items():
            spent[way] += time / len(records)
    ratio, to_expert = spent["generated"] / spent["by hand"], spent["generated"] / spent["by an expert"]
    print(f"transformer, {INTERVENTIONS} interventions of 5 implants, raw rows to Parameters, outputs equal")
    print(f"  written by hand       {spent['by hand']:8.1f} us")
    print(f"  written by an expert  {spent['by an expert']:8.1f} us")
    print(f"  generated             {spent['generated']:8.1f} us   ratio {ratio:.2f} (bound {BOUND_RATIO})")
    print(f"                          to the expert's {to_expert:.2f} (wanted {WANTED_RATIO})")
    return int(ratio > BOUND_RATIO)


if __name__ == "__main__":
    raise SystemExit(main())
