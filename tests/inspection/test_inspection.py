"""Records read through the models that the documented files give."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inspection.written import inspected, round_trip


@pytest.mark.parametrize(("file", "count"), [("b_clinique.json", 52), ("c_export_pharmacie.csv", 40)])
def test_the_documented_files(shared_dir: Path, file: str, count: int) -> None:
    url = str(shared_dir / "renacot" / "sih" / file)
    assert len(round_trip(url, inspected(url))) == count
