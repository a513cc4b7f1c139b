"""Settings of the simulator."""

from __future__ import annotations

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
