"""What every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--accept` writes what golden tests now yield in place of what they expected."""
    parser.addoption("--accept", action="store_true", help="take what golden tests now yield as right")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The public reference data beside the project; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the reference data folder ../shared is not beside this checkout")
    return SHARED
