"""The guide's rows, compiled for a target."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from fhirmap.records import Result
from fhirmap.runner.engine import Engine, build_engine
from fhirmap.runner.project_file import load_project

GUIDE = Path(__file__).parent / "guide"
EXAMPLES = ("PGExample", "PHExample", "PEExample", "PEExampleErreur")

Row = dict[str, Any]
Transform = Callable[..., Result]


@cache
def guide_engine(target: str = "renacot", rules: tuple[tuple[str, str], ...] = ()) -> Engine:
    """The guide's project, for a target and with severities of rules."""
    with TemporaryDirectory() as folder:
        for file in GUIDE.iterdir():
            (Path(folder) / file.name).write_bytes(file.read_bytes())
        settings = Path(folder) / "fhirmap.toml"
        text = settings.read_text(encoding="utf-8").replace('target = "renacot"', f'target = "{target}"')
        text += "\n[rules]\n" + "".join(f'"{key}" = "{severity}"\n' for key, severity in rules)
        settings.write_text(text, encoding="utf-8")
        return build_engine(load_project(folder))


@cache
def guide_rows() -> Mapping[str, Row]:
    rows = json.loads((GUIDE / "rows.json").read_text(encoding="utf-8"))["rows"]
    return {row["name"].removeprefix("AssocierImplantsProcedure"): row for row in rows}


@pytest.fixture
def row() -> Callable[..., Row]:
    """A copy of one of the guide's rows; keywords replace parts of it."""

    def make(example: str = "PGExample", **changes: Any) -> Row:
        made = deepcopy(guide_rows()[example])
        made.update(changes)
        return {key: value for key, value in made.items() if value is not None}

    return make


@pytest.fixture(scope="session")
def engine() -> Callable[..., Engine]:
    """The guide's project compiled: `engine("procedure-device", {"nir-key": "error"})`."""
    return lambda target="renacot", rules=None: guide_engine(target, tuple(sorted((rules or {}).items())))


@pytest.fixture(scope="session")
def example(shared_dir: Path) -> Callable[[str], dict[str, Any]]:
    """A message of the guide."""

    def read(name: str) -> dict[str, Any]:
        file = shared_dir / "renacot" / "examples" / f"Parameters-AssocierImplantsProcedure{name}.json"
        message: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return message

    return read
