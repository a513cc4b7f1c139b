"""The package without its extra: a diagnostic that names what to install, not a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "ch-valmorel"


@pytest.mark.parametrize("library", ["starlette", "uvicorn"])
@pytest.mark.parametrize("command", [["registry"], ["run", "PROJECT"]])
def test_without_the_extra_it_names_what_to_install(tmp_path: Path, library: str, command: list[str]) -> None:
    project = tmp_path / "ch-valmorel"
    copytree(EXAMPLE, project, ignore=ignore_patterns("journal*", "reports"))
    arguments = [str(project) if entry == "PROJECT" else entry for entry in command]
    program = f"import sys; sys.modules[{library!r}] = None; from fhirmap.cli import main; main({arguments!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "error[FM797]" in done.stderr
    assert library in done.stderr
    assert "pip install 'fhirmap[simulator]'" in done.stderr
    assert "Traceback" not in done.stderr
