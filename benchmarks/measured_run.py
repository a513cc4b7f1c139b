"""One `fhirmap run` that reports its own CPU time and peak memory: what `pipeline` starts as a process."""

from __future__ import annotations

import io
import json
import re
import resource
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

from fhirmap.cli import main as fhirmap


def main(folder: str) -> None:
    """Run the project once; print what was read and accepted, the CPU time of this process with the compiling of the
    map, and the peak of the resident set."""
    print(json.dumps({**run(folder), "cpu_s": time.process_time(), "peak_mib": peak_mib()}))


def run(folder: str) -> dict[str, int]:
    """Run a project once, as the command does: what was read, accepted, and found unchanged."""
    try:
        with redirect_stdout(io.StringIO()) as printed:
            fhirmap(["run", folder, "--json"])
    except SystemExit as end:
        assert end.code == 0, end.code
    ledger = json.loads(printed.getvalue())["ledger"]
    return {name: ledger[name] for name in ("read", "accepted", "unchanged")}


def peak_mib() -> float:
    """The peak of this program's resident set. Linux keeps in ``ru_maxrss`` that of the program which started it."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    kib = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kib / 1024


if __name__ == "__main__":
    main(sys.argv[1])
