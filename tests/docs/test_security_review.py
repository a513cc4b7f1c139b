"""Each test that the security review names is there, and each boundary has threats with one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from fhirmap import bounded_files

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "operations" / "security-review.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[^`]+)`", TEXT)))


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_is_named_is_there(named: str) -> None:
    place, _, name = named.partition("::")
    tree = ast.parse((ROOT / place).read_text(encoding="utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
    assert tests
    assert not name or name in tests


def test_each_boundary_has_threats_and_each_threat_a_test() -> None:
    boundaries = re.findall(r"^\| (\d) \| (?![A-Z], |[A-Z]: )", TEXT, re.MULTILINE)
    threats = re.findall(r"^\| (\d) \| [STRIDE](?:, [STRIDE])*: .*\|(.*)\|$", TEXT, re.MULTILINE)
    assert boundaries == ["1", "2", "3", "4", "5", "6", "7"]
    assert {number for number, _ in threats} == set(boundaries)
    assert all("`tests/" in tests for _, tests in threats)


def test_each_item_of_the_standard_has_a_test() -> None:
    items = re.findall(r"^\| (\d+\.\d+\.\d+[^|]*) \|.*\|(.*)\|$", TEXT, re.MULTILINE)
    assert len(items) > 15
    assert all("`tests/" in tests for _, tests in items)


def test_the_sizes_are_those_of_the_code() -> None:
    most = (
        bounded_files.MOST_MAP_BYTES,
        bounded_files.MOST_NAMED_BYTES,
        bounded_files.MOST_DEFINITION_BYTES,
        bounded_files.MOST_SETTINGS_BYTES,
    )
    assert ", ".join(str(size // bounded_files._MEGABYTE) for size in most) in TEXT
