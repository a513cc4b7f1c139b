"""Projects whose calls no limit holds back: waiting for a turn is the business of tests of the limit alone."""

from __future__ import annotations

from pathlib import Path

_LIMIT = "rate_per_s = 5\n"
_NONE = "rate_per_s = 1_000_000_000\n"


def without_limit(project: Path) -> Path:
    """``project``, a copy of an example, sends as fast as it can, and its simulator takes it."""
    for name in ("fhirmap.toml", "registry.toml"):
        file = project / name
        text = file.read_text(encoding="utf-8")
        assert _LIMIT in text, file
        file.write_text(text.replace(_LIMIT, _NONE), encoding="utf-8")
    return project
