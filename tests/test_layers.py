"""The house keeps its floors: a package imports lower layers only, never a sibling; the core no library."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "fhirmap"

LAYERS: dict[str, int] = {
    "texts": 0,
    "records": 0,
    "stores": 0,
    "errors": 0,
    "plugins": 0,
    "diagnostics": 0,
    "language": 1,
    "model": 2,
    "analysis": 3,
    "compiler": 4,
    "runtime": 5,
    "functions": 6,
    "embedding": 7,
    "sources": 7,
    "journal": 7,
    "sinks": 7,
    "mapset": 8,
    "runner": 8,
    "registry": 9,
    "cli": 10,
}
# Same floor, but the one may lean on the other.
ALLOWED_WITHIN_FLOOR = {
    ("errors", "diagnostics"),
    ("diagnostics", "records"),
    ("diagnostics", "texts"),
    ("errors", "texts"),
    ("plugins", "texts"),
    ("plugins", "errors"),
    ("plugins", "diagnostics"),
    ("stores", "records"),
}
NEVER = {
    ("runtime", "compiler"),
    ("runtime", "language"),
    ("runtime", "model"),
    ("runtime", "analysis"),
    ("sources", "language"),
}
STANDARD_LIBRARY_ONLY = ("texts", "runtime", "diagnostics", "records", "stores", "errors")


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if not any(part.startswith("_maps") for part in path.parts))


def room(path: Path) -> str:
    part = path.relative_to(PACKAGE).parts[0]
    return part.removesuffix(".py")


def imported(path: Path) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            module = node.module or ""
            found += [
                (node.lineno, f"{module}.{alias.name}" if module == "fhirmap" else module) for alias in node.names
            ]
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_arrow_points_upward(path: Path) -> None:
    here = room(path)
    if here in ("__init__", "__main__"):
        return
    assert here in LAYERS, f"{here} stands on no floor: give it one here and in docs/architecture.md"
    for line, name in imported(path):
        parts = name.split(".")
        if parts[0] != "fhirmap" or len(parts) < 2 or parts[1] == "__version__":
            continue
        there = parts[1]
        if there == here:
            continue
        where = f"fhirmap/{path.relative_to(PACKAGE)}:{line}"
        assert (here, there) not in NEVER, f"{where}: {here} must never know {there}"
        assert LAYERS[there] < LAYERS[here] or (here, there) in ALLOWED_WITHIN_FLOOR, f"{where}: {here} imports {there}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_runtime_needs_nothing_but_python(path: Path) -> None:
    if room(path) not in STANDARD_LIBRARY_ONLY:
        return
    for line, name in imported(path):
        top = name.split(".")[0]
        assert top == "fhirmap" or top in sys.stdlib_module_names, f"fhirmap/{path.relative_to(PACKAGE)}:{line}: {top}"
