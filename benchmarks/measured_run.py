"""One `fhirmap run` that reports its own peak memory: what `pipeline` starts as a process."""

from __future__ import annotations

import json
import re
import resource
import sys
from pathlib import Path

from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.run import run


def main(folder: str) -> None:
    """Run the project once; print what was read and accepted, and the peak of the resident set."""
    ledger = run(build_engine(load_project(folder))).report.ledger
    print(json.dumps({"read": ledger.read, "accepted": ledger.accepted, "peak_mib": peak_mib()}))


def peak_mib() -> float:
    """The peak of this program's resident set. Linux keeps in ``ru_maxrss`` that of the program which started it."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    kib = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kib / 1024


if __name__ == "__main__":
    main(sys.argv[1])
