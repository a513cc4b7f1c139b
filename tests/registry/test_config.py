"""Settings of the simulator."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.registry import read_config


@pytest.mark.parametrize(
    "text",
    [
        "[server]\nspeed = 1",
        "[[fault]]\nkind = 'nap'",
        "[[client]]\nname = 'x'",
        "not toml",
        "[[fault]]\nkind='503'\nmatch={x='1'}",
    ],
)
def test_a_setting_it_does_not_have_is_reported(tmp_path: Path, text: str) -> None:
    path = tmp_path / "registry.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="FM794"):
        read_config(path)


@pytest.mark.parametrize(
    "text",
    ["x = " + "[" * 100_000, "[server]\nfirst_number = " + "9" * 5_000, "# " + "x" * 2_000_000, "x" + ".x" * 50_000],
)
def test_settings_out_of_all_proportion_are_reported(tmp_path: Path, text: str) -> None:
    path = tmp_path / "registry.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="FM794"):
        read_config(path)


def test_a_pipe_and_a_device_are_no_settings_and_no_key(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = tmp_path / "registry.toml"
    path.write_text("[[client]]\nclient_id = 'a'\ngrants = []\npublic_key = 'pipe'")
    for place in (pipe, Path("/dev/zero"), path):
        with pytest.raises(ConfigError, match="FM794"):
            read_config(place)
