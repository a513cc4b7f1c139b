"""The digest of what maps are compiled of: functions of plug-ins and fhirmap itself. Files: `test_project_maps`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fhirmap.compilation.files import shipped_folder
from fhirmap.plugins import BUILT_IN, Plugin, find_plugins
from fhirmap.runner.cache import map_inputs
from fhirmap.runner.project_file import load_project


@pytest.fixture(params=["own_functions", "own_functions.texts", "own_functions:names"])
def plugin(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path, whose `own_functions` is a plug-in: a package or a module."""
    monkeypatch.syspath_prepend(tmp_path)
    built_in = {name: Plugin(name, target, "fhirmap") for name, target in BUILT_IN["fhirmap.functions"].items()}
    own = Plugin("own", request.param, "own")
    monkeypatch.setattr(map_inputs, "find_plugins", lambda group: {**built_in, "own": own})
    return tmp_path


def digest() -> bytes:
    return map_inputs.map_inputs(load_project(shipped_folder("examples") / "export-pharmacie"), None)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_plug_in_is_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    without = digest()
    known = find_plugins("fhirmap.functions")
    own = Plugin("own", "own_functions", "own")
    monkeypatch.setattr(map_inputs, "find_plugins", lambda group: {**known, "own": own})
    assert digest() != without


def test_each_file_of_a_plug_ins_package_counts(plugin: Path) -> None:
    package = plugin / "own_functions"
    write(package / "__init__.py", "")
    write(package / "texts.py", "A = 1")
    write(package / "helpers.py", "B = 1")
    first = digest()
    assert digest() == first
    write(package / "helpers.py", "B = 22")
    second = digest()
    assert second != first
    write(package / "helpers.py", "B = 11")
    os.utime(package / "helpers.py", (1, 1))
    assert digest() not in (first, second), "of the same size, at another time"


def test_a_plug_in_of_one_module(plugin: Path) -> None:
    write(plugin / "own_functions.py", "A = 1")
    first = digest()
    write(plugin / "own_functions.py", "A = 22")
    assert digest() != first


def test_a_plug_in_that_is_nowhere(plugin: Path) -> None:
    assert digest() == digest()


def test_the_product_itself_is_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first = digest()
    monkeypatch.setattr(map_inputs, "product_state", lambda: "another")
    assert digest() != first


def test_the_state_of_the_product_follows_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_inputs, "_PACKAGE", tmp_path)
    states = []
    for name in ("a.py", "b/c.py", "texts/x.toml", "__pycache__/a.pyc"):
        write(tmp_path / name, "")
        map_inputs.product_state.cache_clear()
        states.append(map_inputs.product_state())
    map_inputs.product_state.cache_clear()
    assert len(set(states[:2])) == 2
    assert states[1:] == [states[1]] * 3, "what is looked up when it is shown does not count"


def test_the_release_is_a_part_of_it() -> None:
    project = load_project(shipped_folder("examples") / "export-pharmacie")
    assert map_inputs.map_inputs(project, "R5") != map_inputs.map_inputs(project, None)
