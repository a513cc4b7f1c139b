"""The bill of materials lists exactly what is pinned, with versions and licences."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "bill_of_materials.py"
CONSTRAINTS = """\
jinja2==3.1.6 \\
    --hash=sha256:aa
typing-extensions==4.15.0 ; python_full_version >= '3.8' \\
    --hash=sha256:bb
colorama==0.4.6 ; sys_platform == 'never' \\
    --hash=sha256:cc
"""


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bill_of_materials", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bill(**changed: dict[str, Any] | None) -> dict[str, Any]:
    licence = [{"license": {"id": "BSD-3-Clause"}}]
    components: dict[str, dict[str, Any] | None] = {
        "Jinja2": {"version": "3.1.6", "licenses": licence},
        "typing_extensions": {"version": "4.15.0", "licenses": licence},
        "pip": {"version": "25.0"},
        **changed,
    }
    entries = [{"name": name, **entry} for name, entry in components.items() if entry is not None]
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": entries}


def test_what_is_pinned_here_and_nothing_else(tool: ModuleType) -> None:
    assert list(tool.faults(bill(), CONSTRAINTS)) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Jinja2": None}, "jinja2 is pinned and not in the bill"),
        ({"left-pad": {"version": "1", "licenses": [{}]}}, "left-pad is in the bill and not pinned"),
        ({"Jinja2": {"version": "3.0", "licenses": [{}]}}, "jinja2 is pinned to 3.1.6, and is 3.0 in the bill"),
        ({"Jinja2": {"version": "3.1.6", "licenses": []}}, "jinja2 has no licence"),
        ({"colorama": {"version": "0.4.6", "licenses": [{}]}}, "colorama is in the bill and not pinned"),
    ],
)
def test_a_bill_that_says_otherwise(tool: ModuleType, changed: dict[str, Any], said: str) -> None:
    assert list(tool.faults(bill(**changed), CONSTRAINTS)) == [said]


def test_the_constraints_of_the_repository_are_read(tool: ModuleType, tmp_path: Path) -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    missing = list(tool.faults({"bomFormat": "CycloneDX"}, text))
    assert "sqlalchemy is pinned and not in the bill" in missing
    assert len(missing) > 20
    (tmp_path / "bill.json").write_text(json.dumps(bill()), encoding="utf-8")
    (tmp_path / "constraints.txt").write_text(CONSTRAINTS, encoding="utf-8")
    command = [sys.executable, str(TOOL), str(tmp_path / "bill.json")]
    assert subprocess.run([*command, str(tmp_path / "constraints.txt")], capture_output=True).returncode == 0
    assert subprocess.run([*command, str(ROOT / "constraints.txt")], capture_output=True).returncode == 1
