"""Each module of these packages has its test under the same name: `fhirmap/a/b.py` and `tests/a/test_b.py`."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIRRORED = ("functions", "inspection", "interchange", "journal", "model", "registry", "sources")
# Tables and bases without behaviour of their own: what uses them is tested.
WITHOUT = frozenset({"functions/udi/gs1_tables", "journal/connection", "sources/files/file_rows"})


def modules() -> set[str]:
    paths = (path for package in MIRRORED for path in (ROOT / "fhirmap" / package).rglob("*.py"))
    return {path.relative_to(ROOT / "fhirmap").with_suffix("").as_posix() for path in paths if path.stem != "__init__"}


def test_each_module_has_a_test_of_its_name() -> None:
    wanted = modules() - WITHOUT
    assert sorted(module for module in wanted if not mirror_of(module).exists()) == []
    assert modules() >= WITHOUT


def mirror_of(module: str) -> Path:
    folder, _, name = module.rpartition("/")
    return ROOT / "tests" / folder / f"test_{name}.py"
