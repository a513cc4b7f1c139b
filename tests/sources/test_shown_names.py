"""Which names of sheets and of members of JSON may be shown."""

from __future__ import annotations

from typing import Any

import pytest

from fhirmap.sources.shown_names import MemberNames, is_sheet_shown, member_names, shown_paths

REFERENCE = {"reference": "Patient/1"}


@pytest.mark.parametrize("name", ["Feuil1", "Poses DMI", "2025", "T1", "DMI", "Février", "UF 3421", "Prothèses"])
def test_sheets_that_are_shown(name: str) -> None:
    assert is_sheet_shown(name)


@pytest.mark.parametrize("name", ["DUPONT Marie", "dupont", "Dr MARTIN", "DUPONT 2", "149113897061758", "03-11-1949"])
def test_sheets_that_are_not_shown(name: str) -> None:
    assert not is_sheet_shown(name)


@pytest.mark.parametrize(
    "entry",
    [
        {"stays": [{"id": 1}], "exported": {"at": 1}},
        {"Date De Pose": {"a": 1}, "Né le": "x"},
        {"subject": REFERENCE, "recorder": REFERENCE, "asserter": REFERENCE},
        {"debut": {"jour": 1}, "fin": {"jour": 1}, "PAUSE": {"jour": 1}},
        {"A": {"lot": 1}, "B": {"prix": 1}},
        {"A": 1, "B": 2},
        {"A": {"lot": 1}, "B": [{"lot": 1}]},
        {"A": [1], "B": [2]},
        {"Hanche": "x", "Genou": "y", "Lot": "A"},
        {"hanche": "x", "Genou": "y"},
        {},
    ],
)  # fmt: skip
def test_members_that_are_shown(entry: dict[str, Any]) -> None:
    assert member_names([entry]) == MemberNames(tuple(entry), 0)


@pytest.mark.parametrize(
    "entry",
    [
        {"DUPONT Marie": {}},
        {"DUPONT, Marie": "A1", "M. de la TOUR": "B2"},
        {"DUPONT": {"lot": 1}, "O'Brien": {"lot": 2, "serie": 1}, "LIEU": {"lot": 3}},
        {"DUPONT": [{"lot": 1}], "MARTIN": [{"lot": 2}, {"lot": 3}]},
        {"dupont": {"lot": 1}, "martin_paul": {"lot": 1}, "petit": {"lot": 1}, "roux": {"lot": 1}},
        {"149113897061758": 1, "03/11/1949": []},
        {"DUPONT": "A1", "Martin": "B2"},
    ],
)  # fmt: skip
def test_members_that_are_not_shown(entry: dict[str, Any]) -> None:
    assert member_names([entry]) == MemberNames((), len(entry))


def test_members_of_one_kind_of_object_come_again() -> None:
    sides: list[dict[str, Any]] = [
        {"RECTO": {"lot": 1}, "VERSO": {"lot": 1}},
        {"RECTO": {"lot": 2}, "VERSO": None},
        {"RECTO": {"lot": 3}},
    ]
    assert member_names(sides).shown == ("RECTO", "VERSO")
    people = [{"DUPONT": {"lot": 1}, "MARTIN": {"lot": 1}}, {"PETIT": {"lot": 2}}, {"ROUX": {"lot": 3}}]
    assert member_names(people) == MemberNames((), 4)


def test_paths_that_are_shown() -> None:
    entries = [
        {"id": 1, "by": {"DUPONT": {"lot": 1}, "MARTIN": {"lot": 2}}, "..": {"at": 1, "..": {"x": {"y": 1}}}},
        {"poses": [{"lot": [[{"n.o": 1}]]}], "DUPONT Marie": {"lot": 1}},
        "text",
    ]
    found = ["id", "by", "poses", "poses.lot", "poses.lot.`n.o`", "../at", "../../x", "../../x.y"]
    assert shown_paths(entries) == found
    deep: Any = {"end": 1}
    for _ in range(5000):
        deep = {"a": deep}
    assert len(shown_paths([deep])) == 5001
