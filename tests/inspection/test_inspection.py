"""Records read through the models that the documented files give."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.inspection.inspection import inspect_source
from tests.inspection.written import inspected, round_trip


def test_an_unknown_zone_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id;at\n1;2025-01-14 08:30\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        inspect_source(str(file), zone="Paris")
    assert (caught.value.code, caught.value.diagnostic().meant) == ("FM236", "Europe/Paris")


@pytest.mark.parametrize(("file", "count", "faulty"), [("b_clinique.json", 52, 0), ("c_export_pharmacie.csv", 40, 2)])
def test_the_documented_files(shared_dir: Path, file: str, count: int, faulty: int) -> None:
    url = str(shared_dir / "renacot" / "sih" / file)
    assert len(round_trip(url, inspected(url), faulty)) == count
