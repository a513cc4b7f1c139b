"""Every measurement, one after the other, and their table: `make bench`, or `python -m benchmarks [folder]`.

``folder``: where `figures.json` is written, by default the one that the command is run in. As
`benchmarks/released.json` it is what the next release is compared with. The exit code says whether something is over
its bound.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import (
    fhirpath,
    growth,
    lookups,
    peers,
    pipeline,
    questionnaire,
    sources,
    spark,
    transformer,
    validator,
    wildcard_maps,
    workers,
)
from benchmarks.figures import code_of, released, table, write
from benchmarks.instructions import counted
from fhirmap.version import __version__


def main(arguments: list[str]) -> int:
    """1 where one of them is over its bound."""
    figures = [*transformer.figures(), *validator.figures(), *questionnaire.figures(), *wildcard_maps.figures()]
    figures += [*sources.figures(), *lookups.figures(), *pipeline.figures(), *growth.figures(), *workers.figures()]
    figures += [*spark.figures(), *fhirpath.figures(), *peers.figures()]
    instructions = counted()
    print(f"\n{table(figures, instructions, released())}")
    write(Path(*arguments) / "figures.json", __version__, figures, instructions)
    return code_of(figures)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
