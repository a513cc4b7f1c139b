"""Words that name columns."""

from __future__ import annotations

import pytest

from fhirmap.sources.column_words import has_column_word


@pytest.mark.parametrize("text", ["PRÉNOM", "Date de pose", "nom/prénom", "lieuPose", "DatePose", "POSE_DMI", "id"])
def test_names(text: str) -> None:
    assert has_column_word(["MARTIN", text])


@pytest.mark.parametrize("text", ["MARTIN", "DE LA TOUR", "Anne-Marie", "M", "", "Hanche droite", "McLEOD"])
def test_values(text: str) -> None:
    assert not has_column_word([text])
