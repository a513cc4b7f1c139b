"""Of the constraints, the lines that an installation needs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = """\
Jinja2==3.1.6 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via fhirmap
psycopg-binary==3.2.9 ; implementation_name != 'pypy' \\
    --hash=sha256:cc
typing_extensions==4.15.0 --hash=sha256:dd
"""


@pytest.fixture(scope="module")
def wheelhouse() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wheelhouse", ROOT / "tools" / "wheelhouse.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_what_is_needed_with_all_its_hashes(wheelhouse: ModuleType) -> None:
    assert wheelhouse.needed(TEXT, {"jinja2"}) == TEXT[: TEXT.index("psycopg")]
    assert wheelhouse.needed(TEXT, {"typing-extensions"}).startswith("typing_extensions==4.15.0")
    assert wheelhouse.needed(TEXT, {"jinja2", "psycopg-binary", "typing-extensions"}) == TEXT
    assert wheelhouse.needed(TEXT, set()) == ""


def test_the_constraints_of_the_repository_are_read(wheelhouse: ModuleType) -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = list(wheelhouse._pins(text))
    assert len(pins) > 20
    assert all("==" in pin and "--hash" not in pin for pin in pins)
    assert wheelhouse.needed(text, {wheelhouse.normalized(pin.split("==")[0]) for pin in pins}).strip() == text.strip()
