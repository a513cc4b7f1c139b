"""The shipped tables are what `python -m fhirmap.model.fhir --write` writes today."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.resources import files

from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import VERSIONS, base_types
from fhirmap.model.fhir_tables import write_table


def test_tables_are_up_to_date() -> None:
    for version in VERSIONS:
        shipped = files("fhirmap").joinpath("tables", f"{version.lower()}.ndjson").read_text(encoding="utf-8")
        assert shipped == write_table(version), f"{version}: run `python -m fhirmap.model.fhir --write`"


def test_looking_up_a_type_imports_no_fhir_library() -> None:
    program = (
        "import sys\n"
        "from fhirmap.model.definition import Definitions\n"
        "from fhirmap.model.fhir import base_types\n"
        "assert Definitions(base_types()).structure('Patient')\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('fhir', 'pydantic', 'fhir_core')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_type_is_found_within_milliseconds() -> None:
    tank = Definitions(base_types("R4"))
    tank.structure("Account")
    best = 1.0
    for name in ("Bundle", "Claim", "Patient"):
        start = time.perf_counter()
        structure = tank.structure(name)
        assert structure is not None
        tank.children(structure.root)
        best = min(best, time.perf_counter() - start)
    assert best < 0.02
