"""The official suites: at least 97 % of each in both forms, and every failing case listed with its reason."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.runtime import fhirpath_suite as suite

HERE = Path(__file__).resolve().parent


def known_failures(release: str) -> dict[str, str]:
    listed: dict[str, dict[str, str]] = tomllib.loads(
        (HERE / "fhirpath_known_failures.toml").read_text(encoding="utf-8")
    )
    return listed[release]


@pytest.mark.parametrize("form", suite.FORMS)
@pytest.mark.parametrize("release", ["r4", "r5"])
def test_official_suite(release: str, form: str, shared_dir: Path) -> None:
    folder = shared_dir / "fml" / "fhirpath" / release
    if not folder.is_dir():
        pytest.skip("the official FHIRPath suites are not beside this checkout")
    cases = list(suite.load(folder))
    wrong = {case.name: message for case in cases if (message := suite.run(case, folder, form))}
    listed = known_failures(release)
    assert {name: wrong[name] for name in wrong.keys() - listed.keys()} == {}, "fails and is not listed"
    assert listed.keys() - wrong.keys() == set(), "is listed and passes"
    assert len(cases) - len(wrong) >= 0.97 * len(cases)
    assert len(cases) > 900


def test_reasons_are_given() -> None:
    for release in ("r4", "r5"):
        assert all(len(reason) >= 10 for reason in known_failures(release).values())
