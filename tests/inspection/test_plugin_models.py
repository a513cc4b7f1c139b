"""Models of what plug-ins read: of the source of the documentation, and of sources with tables and samples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from fhirmap import plugins
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.extending import Address, Record, SourcePlan
from fhirmap.inspection.inspection import inspect_source
from fhirmap.inspection.text import sketches_to_text
from fhirmap.plugins import Plugin
from fhirmap.sources.samples import Sample
from tests.inspection.written import models_of
from tests.plugins.installed import install

STAYS = """
[12]
born = 1951-02-03
side = D
149113897061759 = x
[13]
born = 1960-11-30
side = G
[14]
born = N/A
"""


def fhirmap(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with the plug-ins that are installed in ``place``."""
    paths = os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    return subprocess.run(
        [sys.executable, "-m", "fhirmap", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": paths},
    )


def test_the_source_of_the_documentation_is_inspected_and_begins_a_project(tmp_path: Path) -> None:
    place = tmp_path / "site"
    place.mkdir()
    install("ini-source", place)
    file = tmp_path / "stays.ini"
    file.write_text(STAYS, encoding="utf-8")
    done = fhirmap(place, "inspect", f"ini://{file}")
    assert (done.returncode, done.stderr) == (0, "")
    (model,) = models_of(done.stdout)
    assert model.store is not None
    assert (model.name, model.store.kind, model.store.key) == ("Stays", "csv", ("section",))
    found = {element.name: (element.type, element.column, element.nulls) for element in model.elements}
    assert found == {
        "section": ("string", "section", ()),
        "born": ("date", "born", ("N/A",)),
        "side": ("string", "side", ()),
    }
    assert "1 name looks like a value" in done.stdout
    assert "149113897061759" not in done.stdout
    project = tmp_path / "project"
    done = fhirmap(place, "init", str(project), "--source", f"ini://{file}")
    assert (done.returncode, done.stderr) == (0, "")
    checked = fhirmap(place, "check", str(project), "--json")
    assert [entry for entry in json.loads(checked.stdout)["diagnostics"] if entry["severity"] == "error"] == []
    file.unlink()
    assert "error[FM701]" in fhirmap(place, "inspect", f"ini://{file}").stderr


class Tables:
    """A source that has tables, and can give some rows of each at once."""

    THERE: Mapping[str, Sequence[str]] = {"poses": ("id", "lot"), "stays": ("id", "day")}

    def __init__(self, address: Address, plan: SourcePlan) -> None:
        self._plan = plan

    def columns(self) -> Mapping[str, tuple[str, ...]]:
        return {name: tuple(columns) for name, columns in self.THERE.items()}

    def check(self) -> list[Diagnostic]:
        return []

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        raise AssertionError("there are samples")

    def samples(self, count: int) -> Iterator[Sample]:
        rows: list[dict[str, Any]] = [{"id": f"K{n}", "day": f"0{n}/02/2025"} for n in range(1, 4)]
        yield Sample(self._plan.name, self._plan.shape, rows[:count])

    def count(self) -> int | None:
        return None

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed plug-in for the scheme `tables`."""
    held = plugins.find_plugins("fhirmap.sources")
    held["tables"] = Plugin("tables", f"{__name__}:Tables", "tests")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Tables.__module__])
    monkeypatch.setattr("fhirmap.plugins.find_plugins", lambda group: held)
    monkeypatch.setattr("fhirmap.sources.find_plugins", lambda group: held)


def test_tables_of_a_plug_in(tables: None) -> None:
    with pytest.raises(ConfigError) as raised:
        inspect_source("tables://here")
    assert (raised.value.code, "`poses`, `stays`" in str(raised.value.diagnostic().hint)) == ("FM751", True)
    with pytest.raises(ConfigError) as raised:
        inspect_source("tables://here", "stay")
    assert (raised.value.code, raised.value.diagnostic().meant) == ("FM703", "stays")
    (model,) = models_of(sketches_to_text(inspect_source("tables://here", "STAYS")))
    assert model.store is not None
    assert (model.store.kind, model.store.name, model.store.key) == ("table", "stays", ("id",))
    assert [(element.name, element.type, element.format) for element in model.elements] == [
        ("id", "string", None),
        ("day", "date", "dd/MM/yyyy"),
    ]
