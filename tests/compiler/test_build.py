"""A checked program becomes text, code and digest: the same bytes wherever and whenever it is compiled."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fhirmap
from fhirmap.compilation.files import shipped_folder

CASES = Path(__file__).resolve().parents[1] / "cases"
PROGRAM = """
import hashlib, sys
import fhirmap
from fhirmap.compilation.files import shipped_folder
found = fhirmap.compile_map("case.map", imports=["."]).source
maps = shipped_folder("maps") / "renacot"
found += fhirmap.compile_map(maps / "renacot.map", definitions=[maps / "definitions"]).source
print(hashlib.sha256(found.encode()).hexdigest())
"""


def digest_under(seed: str, folder: Path) -> str:
    """The digest of some generated modules in a process of its own."""
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=folder, env=environment
    )
    return ran.stdout.strip()


def test_modules_are_the_same_whatever_the_hashes_of_a_process() -> None:
    folder = CASES / "transforms"
    assert digest_under("1", folder) == digest_under("2", folder)


@pytest.mark.parametrize("folder", sorted(path.parent for path in CASES.glob("*/case.map")), ids=lambda path: path.name)
def test_modules_are_the_same_each_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    first, second = (fhirmap.compile_map("case.map", imports=["."]) for _ in range(2))
    assert (first.source, first.digest) == (second.source, second.digest)


def test_the_digest_says_whether_the_map_or_its_contract_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / "transforms")
    with_checks, without = fhirmap.compile_map("case.map"), fhirmap.compile_map("case.map", validate=False)
    assert with_checks.digest != without.digest
    assert with_checks.digest in with_checks.source
    assert len(with_checks.digest) == hashlib.sha256().digest_size * 2


def test_a_module_validates_by_its_own_checks() -> None:
    maps = shipped_folder("maps") / "renacot"
    transformer = fhirmap.compile_map(maps / "renacot.map", definitions=[maps / "definitions"])
    assert "\ndef _validate(resource, faults):" in transformer.source
    assert not transformer.validate({"resourceType": "Parameters"}).valid
