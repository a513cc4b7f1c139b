"""Records that were accepted are not sent a second time since they are called otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from fhirmap.errors import JournalError
from tests.cli.conftest import in_process
from tests.pace import without_limit
from tests.runner.test_declared_again import EXAMPLES, Hospital


@pytest.fixture
def hospital(tmp_path: Path, registry: Any, clock: Any) -> Hospital:
    ignored = shutil.ignore_patterns("journal*", "reports")
    folder = Path(shutil.copytree(EXAMPLES / "ch-valmorel", tmp_path / "ch", ignore=ignored))
    return Hospital(without_limit(folder), registry, clock)


@pytest.mark.parametrize(
    ("file", "before", "after", "variant"),
    [
        ("valmorel.map", "key 'id_intervention'", "key 'id_patient', 'id_intervention'", ""),
        ("fhirmap.toml", 'name = "ch-valmorel"', 'name = "ch-valmorel-sur-orne"', "project"),
        ("fhirmap.toml", 'target = "renacot"', 'target = "renacot-2025-03"', "project"),
    ],
)
def test_other_keys_and_names_send_nothing_until_they_are_meant(
    hospital: Hospital, file: str, before: str, after: str, variant: str
) -> None:
    accepted = hospital.run().report.ledger.accepted
    assert accepted > 5
    hospital.edit(before, after, file)
    for refused in (hospital.run, hospital.plan):
        with pytest.raises(JournalError) as caught:
            refused()
        assert (caught.value.code, caught.value.diagnostic().variant) == ("FM809", variant)
    hospital.edit(after, before, file)
    hospital.run()
    assert hospital.sent == 0
    hospital.edit(before, after, file)
    meant = hospital.run(resend=True)
    if meant.report.ledger.pending >= accepted:  # under another name, the archive alone knows what was sent
        assert in_process("journal", "confirm", hospital.folder).code == 0
        meant = hospital.run(resend=True)
    assert meant.report.ledger.accepted >= accepted
    assert hospital.run().exit_code in (0, 1)
    assert hospital.sent == 0


def test_the_case_of_a_key_column_does_not_matter(hospital: Hospital) -> None:
    hospital.run()
    hospital.edit("key 'id_intervention'", "key 'ID_INTERVENTION'")
    hospital.run()
    assert hospital.sent == 0
