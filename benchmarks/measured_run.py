"""One `fhirmap run` that tells its own peak memory: what `pipeline` starts as a process."""

from __future__ import annotations

import json
import resource
import sys

from fhirmap.runner.engine import build_engine
from fhirmap.runner.project import load_project
from fhirmap.runner.run import run


def main(folder: str) -> None:
    """Run the project once; print what was read and accepted, and the peak of the resident set."""
    ledger = run(build_engine(load_project(folder))).report.ledger
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"read": ledger.read, "accepted": ledger.accepted, "peak_mib": peak_mib}))


if __name__ == "__main__":
    main(sys.argv[1])
