"""The shipped tables are what `python tools/fhir_tables.py --write` writes today."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files

from tools.fhir_tables import write_table


def test_tables_are_up_to_date() -> None:
    for version in ("R4B", "R5"):
        shipped = files("fhirmap").joinpath("tables", f"{version.lower()}.ndjson").read_text(encoding="utf-8")
        assert shipped == write_table(version), f"{version}: run `python tools/fhir_tables.py --write`"


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
