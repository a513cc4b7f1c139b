"""The option that says for which release of FHIR a map is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhirmap.cli.localized import WordChoice, option


def release_option() -> Callable[[Any], Any]:
    """`--fhir-version`; without it, the release is what the map's own `uses` say."""
    return option(
        "--fhir-version", type=WordChoice(["STU3", "R4", "R4B", "R5"]), callback=lambda _, __, value: _release(value)
    )


def _release(value: str | None) -> str | None:
    return value.upper() if value is not None else None
