"""What a command loads: looking at a CSV or JSON project needs no database, no HTTP library and no journal."""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fhirmap.compilation.files import shipped_folder
from tests.cli.conftest import in_process

PROJECTS = {"export-pharmacie": "000000901", "clinique-sainte-aubierge": "CSA-2026001"}
NEVER = (
    "sqlalchemy", "httpx2", "httpcore", "authlib", "joserfc", "cryptography", "starlette", "uvicorn", "asyncio", "ssl",
    "fhirmap.journal", "fhirmap.sinks.transport", "fhirmap.sinks.oauth", "fhirmap.sources.sql_table",
    "fhirmap.registry", "xml.etree.ElementTree", "fhir", "pydantic", "email.mime", "pyspark", "py4j", "fhirmap.spark",
)  # fmt: skip
"""Each of these costs more than the command's own work."""
PROGRAM = """
import json, sys
from fhirmap.cli import main
try:
    main(json.loads(sys.argv[1]))
except SystemExit as left:
    print(json.dumps([left.code, sorted(sys.modules)]), file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """Modules in memory after a command that went well, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(arguments)], capture_output=True, text=True, check=True
    )
    code, modules = json.loads(ran.stderr.splitlines()[-1])
    assert code in (0, 1), ran.stdout
    return set(modules)


@pytest.fixture(params=PROJECTS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A copy of a shipped example, and the key of one of its records."""
    shutil.copytree(shipped_folder("examples") / request.param, tmp_path / "p")
    return str(tmp_path / "p"), PROJECTS[request.param]


COMPILING = (
    "fhirmap.language.",
    "fhirmap.model.",
    "fhirmap.analysis.check",
    "fhirmap.compiler.build",
    "lark",
    "jinja2",
)
"""What makes Python of maps."""


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["preview", "--row"],
        ["preview", "--json", "--row"],
        ["preview", "--trace", "--row"],
        ["preview", "--all"],
        ["plan"],
    ],
)
def test_a_command_loads_what_it_needs_and_a_second_one_no_compiler(project: tuple[str, str], words: list[str]) -> None:
    folder, key = project
    command, *options = words
    arguments = (command, folder, *options, *([key] if "--row" in options else []))
    first, second = loaded(*arguments), loaded(*arguments)
    assert [name for name in first if name.startswith(COMPILING)] != []
    assert [name for name in second if name.startswith(COMPILING)] == []
    if command != "plan":
        assert (first | second) & {*NEVER, "rich"} == set()


def test_a_database_loads_its_own_dialect_alone(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("journal*", "reports")
    folder = shutil.copytree(shipped_folder("examples") / "ch-valmorel", tmp_path / "p", ignore=ignored)
    for command in ("check", "plan"):
        found = loaded(command, str(folder))
        assert {"sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.mysql"} & found == set()
        assert "sqlalchemy.dialects.sqlite" in found


def test_a_command_within_a_program_leaves_its_memory_to_it() -> None:
    before = gc.get_freeze_count()
    in_process("functions")
    assert gc.get_freeze_count() == before
