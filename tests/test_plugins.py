"""Entry points become an explicit mapping; clashes and broken ones are reported."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from fhirmap import plugins
from fhirmap.errors import ConfigError
from fhirmap.plugins import BUILT_IN, Plugin, find_plugins, load, names


def entries(*found: EntryPoint) -> object:
    return lambda: found


def test_built_ins_are_known_and_load() -> None:
    for group, known in BUILT_IN.items():
        found = find_plugins(group)
        assert set(known) <= set(found)
        for name in known:
            assert load(found[name]) is not None


def test_a_strangers_plugin_comes_through_the_same_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_installed", entries(EntryPoint("hl7", "json:loads", "fhirmap.sources")))
    assert "hl7" in names("fhirmap.sources")
    assert load(find_plugins("fhirmap.sources")["hl7"])("[1]") == [1]
    assert "hl7" not in names("fhirmap.sinks")


def test_two_plugins_of_one_name_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_installed", entries(EntryPoint("file", "csv:reader", "fhirmap.sources")))
    with pytest.raises(ConfigError) as caught:
        find_plugins("fhirmap.sources")
    assert (caught.value.code, "`file`" in str(caught.value)) == ("FM748", True)


@pytest.mark.parametrize("target", ["no_such_module_at_all", "json:no_such_thing"])
def test_a_plugin_that_cannot_be_loaded_is_reported(target: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(Plugin("x", target, "someone"))
    assert (caught.value.code, target in str(caught.value)) == ("FM749", True)
