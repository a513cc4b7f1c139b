"""The server on loopback."""

from __future__ import annotations

from typing import Any

import pytest

from fhirmap.errors import ConfigError


def test_a_port_that_is_taken_is_reported(registry: Any) -> None:
    from fhirmap.registry import RegistryServer

    with pytest.raises(ConfigError, match="FM795"):
        RegistryServer(port=registry().port)
