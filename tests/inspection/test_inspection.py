"""Records read through the models that the documented files give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.inspection.inspection import inspect_source
from tests.inspection.written import inspected, models_of, round_trip


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


NIRS = ("151024610204372", "260057523800112", "175122511100173")


@pytest.mark.parametrize(
    ("file", "content", "key"),
    [
        ("a.csv", "Nom;code;lot\n" + "".join(f"N{n};{nir};L{n}\n" for n, nir in enumerate(NIRS)), ("lot",)),
        ("a.csv", "NIR;date_naissance\n" + "".join(f"{nir};195{n}-01-01\n" for n, nir in enumerate(NIRS)), ("NIR",)),
        ("a.json", json.dumps([{"nir": nir, "id": nir, "lot": n} for n, nir in enumerate(NIRS)]), ("lot",)),
        ("a.json", json.dumps([{"nir": nir} for nir in NIRS]), ()),
        ("a.xml", "<a>" + "".join(f'<b nom="N{n}" id="{n}"/>' for n in range(3)) + "</a>", ("@id",)),
        ("fixed://a.txt", "".join(f"{nir}  L-{n}{n}-ABCDE\n" for n, nir in enumerate(NIRS)), ("18-27",)),
    ],
)
def test_a_key_identifies_no_person_where_there_is_another(
    tmp_path: Path, file: str, content: str, key: tuple[str, ...]
) -> None:
    path = tmp_path / file.removeprefix("fixed://")
    path.write_text(content, encoding="utf-8")
    (model, *_) = models_of(inspected(f"fixed://{path}" if file.startswith("fixed") else str(path)))
    assert model.store is not None and model.store.key == key
