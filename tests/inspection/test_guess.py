"""What a sample of texts is read as: careful where it may be an identifier."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from fhirmap.inspection.guess import codes_of, guess, identifies_person


@pytest.mark.parametrize(
    ("texts", "kind", "form"),
    [
        (["2025-03-20"], "date", ""),
        (["20/03/2025", "", "01/12/1999"], "date", "dd/MM/yyyy"),
        (["20/03/2025", "31/02/2025"], "string", ""),
        (["20/03/25"], "date", "dd/MM/yy"),
        (["20250320", "00000000"], "string", ""),
        (["202503201530"], "dateTime", "yyyyMMddHHmm"),
        (["2025-03-20T08:15:00Z", "2025-03-20T08:15:00.123+02:00"], "dateTime", ""),
        (["08:15", "08:15:30"], "time", ""),
        (["08:75"], "string", ""),
        (["2025-03-20 08:75"], "string", ""),
        (["08:15+01:00"], "string", ""),
        (["2025/03/20"], "date", "yyyy/MM/dd"),
        (["15-MAR-25", "01-F\u00c9V-25"], "date", "dd-MMM-yy"),
        (["15-LOT-25"], "string", ""),
        (["85001231", "12345678"], "string", ""),
        (["202503", "1015"], "integer", ""),
        (["1", "12", "-3"], "integer", ""),
        (["01", "12"], "string", ""),
        (["75011", "69002"], "string", ""),
        (["1", "2.50"], "decimal", ""),
        (["1,5"], "string", ""),
        (["true", "false"], "boolean", ""),
        (["", " "], "string", ""),
        ([], "string", ""),
    ],
)
def test_guesses_are_careful(texts: Iterable[str], kind: str, form: str) -> None:
    found = guess(texts)
    assert (found.type, found.format) == (kind, form)


@pytest.mark.parametrize(
    ("texts", "codes"),
    [
        (["D", "G", "D", "D", ""], ("D", "G")),
        (["PTH", "PTG"] * 3, ("PTG", "PTH")),
        (["DUVAL", "MARTIN", "DUVAL"], ()),
        (["284051012345678"] * 4, ()),
        (["1951-02-03"] * 4, ()),
        (["a text that goes on"] * 4, ()),
        ([], ()),
    ],
)
def test_a_column_of_codes_has_few_short_ones(texts: list[str], codes: tuple[str, ...]) -> None:
    assert codes_of(texts) == codes


@pytest.mark.parametrize(
    ("name", "texts", "is_person"),
    [
        ("NOM_PATIENT", [], True),
        ("dateNaissance", [], True),
        ("numero", ["1 51 02 46 102 043 72", "", "x", "260057523800112"], True),
        ("numero", ["151024610204372", "A", "B"], False),
        ("nombre", ["2"], False),
    ],
)
def test_columns_that_identify_a_person(name: str, texts: list[str], is_person: bool) -> None:
    assert identifies_person(name, texts) is is_person
