"""What belongs to one registry is data (maps, definitions, target.toml): no module of the product names it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "fhirmap"
ALLOWED = ("registry", "functions")
"""The simulator of that registry, and functions about French identities."""
WORDS = re.compile(
    r"renacot|registres?(?![a-z])|orthense|finess|rpps|idRegistre|implantsType|lateralite|typeProcedure|dateIntervention"
    r"|(?<![a-z])nir(?![a-z])|ccam|associer",
    re.IGNORECASE,
)
"""Its name and its publisher's, its operation and parameters, and the identifiers that only it asks for."""


def test_no_module_names_the_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] not in (*ALLOWED, "_maps", "_examples")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in WORDS.finditer(line)
    ]
    assert found == []


def test_no_module_or_entry_point_is_called_after_it() -> None:
    names = [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    entries = project[project.index("[project.scripts]") : project.index("[tool.")]
    assert [name for name in (*names, *entries.splitlines()) if WORDS.search(name)] == []
