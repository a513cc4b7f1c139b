"""The line of the names: lines of data are none, and real ones are found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.sources.data_signs import DataSign
from fhirmap.sources.files.names_line import names_line, signs_of_data

NAMES = ["IPP", "NIR", "Nom", "Prénom", "Date de naissance", "Côté", "Lot", "Qté"]
ROWS = [
    ["100234", "149113897061759", "MARTIN", "Jean", "03/11/1949", "D", "A213B456", "1"],
    ["100235", "254062A95300756", "PETIT", "Anne-Marie", "12/06/1954", "G", "77-1204", "2"],
    ["100236", "", "DE LA TOUR", "Éloïse", "", "D", "", "1"],
]
OF_LINE = "Numéro de sécurité sociale de l'assuré ou de l'ayant droit"


def test_lines_of_data_are_no_names() -> None:
    for place, row in enumerate(ROWS):
        assert signs_of_data(row, (), ROWS[place + 1 :]), row
        assert signs_of_data(row, ("Nom", "Lot"), ROWS[place + 1 :]), row
    assert signs_of_data(ROWS[0]) == (DataSign.PERSON_NUMBER, DataSign.DATE, DataSign.NUMBER)


@pytest.mark.parametrize(
    "row",
    [
        ["MARTIN", "1 49 11 38 970 617 59"],
        ["MARTIN", "1 49 11 2A 970 617"],
        ["MARTIN", "03/11/1949"],
        ["MARTIN", "3 novembre 1949"],
        ["MARTIN", "19491103"],
        ["MARTIN", "12,50"],
        ["12", "MARTIN", "D"],
        ["MARTIN", "a@b.fr"],
        ["MARTIN", "Reprise de prothèse, patient prévenu le jour même"],
        ["A12", "D", "D", "MARTIN"],
    ],
)
def test_one_cell_is_enough(row: list[str]) -> None:
    assert signs_of_data(row)
    assert signs_of_data(row, ("id", "lot"))


@pytest.mark.parametrize(
    ("row", "below"),
    [
        (["DUVAL-ROY", "ANNE"], ["MARTIN", "PAUL"]),
        (["D'ARC", "Jeanne"], ["MARTIN", "Paul"]),
        (["P.DUVAL", "F"], ["LE GOFF", "M"]),
        (["Jean-Luc", "oui", "L12"], ["Anne", "non", "L13"]),
    ],
)
def test_people_are_like_people_whatever_joins_their_names(row: list[str], below: list[str]) -> None:
    assert signs_of_data(row, (), [below, row]) == (DataSign.LIKE_BELOW,)


def test_people_with_nothing_below_are_no_names() -> None:
    assert signs_of_data(["DUVAL", "ANNE", "F"]) == (DataSign.ALONE,)
    assert signs_of_data(["Zoé Le Goff"]) == (DataSign.ALONE,)
    assert signs_of_data(["NOM", "PRENOM", "F"]) == signs_of_data(["a", "b"]) == signs_of_data(["A", "B"]) == ()
    assert signs_of_data(["DUVAL", "ANNE"], ["duval", "lot"]) == ()
    assert signs_of_data(["CUPULE"], (), [["L1"], ["12"]]) == ()


def test_lines_without_a_sign_of_their_own_are_like_those_below() -> None:
    below = [["P002", "PETIT", "G"], ["P003", "DURAND", "G"]]
    assert signs_of_data(["P001", "MARTIN", "D"], (), below) == (DataSign.LIKE_BELOW,)
    assert signs_of_data(["PA", "MARTIN", "G"], (), [["PB", "PETIT", "G"]]) == (DataSign.LIKE_BELOW,)
    assert signs_of_data(["id", "nom", "cote"], (), below) == ()


@pytest.mark.parametrize(
    ("row", "below"),
    [
        (["MARTIN", "LUC", "M"], [["PETIT", "ANNE", "F"], ["DURAND", "PAUL", "F"]]),
        (["Martin", "Luc"], [["De La Tour", "Anne-Marie"], ["Petit", "Anne"]]),
        (["MARTIN"], [["PETIT"], ["DURAND"]]),
        # one column has another form by chance, what recurs outweighs it
        (["MARTIN", "M", "HANCHE"], [["Petit", "F", "GENOU"], ["Durand", "M", "HANCHE"]]),
        (["MARTIN", "", "hanche"], [["PETIT", "F", "genou"], ["DURAND", "M", ""]]),
    ],
)
def test_a_line_of_words_above_such_words_is_one_of_them(row: list[str], below: list[list[str]]) -> None:
    assert signs_of_data(row, (), below) == (DataSign.LIKE_BELOW,)
    assert names_line([row, *below]) is None


@pytest.mark.parametrize(
    ("names", "below"),
    [
        (["NOM", "PRENOM", "SEXE"], [["MARTIN", "LUC", "M"], ["PETIT", "ANNE", "F"]]),
        (["Prénom", "Affecté"], [["Luc", "Ortho"], ["Anne", "Cardio"]]),
        (["posePar", "avec"], [["luc", "anne"]]),
        (["POSE_PAR"], [["LUC"], ["ANNE"]]),
        # only the letters differ; columns that are ticked with their names; names again on each page
        (["Boite", "Carton"], [["grande", "rouge"], ["petite", "bleu"]]),
        (["Nom", "D", "G"], [["MARTIN", "D", ""], ["PETIT", "", "G"]]),
        (["NOM", "VILLE"], [["MARTIN", "TOURS"], ["NOM", "VILLE"], ["PETIT", "NICE"]]),
    ],
)
def test_names_of_words_above_words(names: list[str], below: list[list[str]]) -> None:
    assert signs_of_data(names, (), below) == ()
    assert names_line([names, *below]) == 0


@pytest.mark.parametrize(
    ("names", "below"),
    [
        (NAMES, ROWS),
        # one odd column, or several that are above other forms
        ([*NAMES, "2024"], [[*row, "3"] for row in ROWS]),
        ([*NAMES, "12"], [[*row, "oui"] for row in ROWS]),
        (["Service", "01/2025", "02/2025"], [["Ortho", "12", "14"]]),
        (["Service", "01/01/2025", "02/01/2025"], [["Ortho", "12", "14"], ["Cardio", "3", ""]]),
        (["Service", "LPP 2024", "LPP 2025"], [["Ortho", "3 120,50", "12,00"]]),
        # long names above short values; names that occur twice
        (["id", OF_LINE, "Date"], [["1", "149113897061759", "01/02/2025"]]),
        (["id", "Lot", "Lot"], [["1", "A12", "B13"]]),
        (["id", "nom"], [["1", "martin"], ["2", "petit"]]),
        (["nom", "prenom"], [["MARTIN", "JEAN"]]),
        (["id"], [["12"]]),
        (["id", "commentaire"], [["1", "Patient prévenu de la date de reprise, accord du chirurgien."]]),
    ],
)
def test_names_of_real_files(names: list[str], below: list[list[str]]) -> None:
    assert signs_of_data(names, (), below) == ()


def test_the_columns_of_a_map_are_proof() -> None:
    odd = ["IPP", "lot", "03/11/1949", "149113897061759", "IPP", OF_LINE]
    assert signs_of_data(odd, ("ipp", "LOT")) == ()
    assert signs_of_data(odd, ("ipp", "LOT", "serie", "cote", "date", "nom"))
    assert signs_of_data(["id", "doc"], ("id", "doc.implants[0].lot")) == ()


def test_a_year_may_be_a_name_and_a_person_never() -> None:
    assert signs_of_data(["Nom", "2024"]) == ()
    assert signs_of_data(["Nom", "Lot", "Côté", "149113897061759"], (), [["a", "b", "c", "oui"]])


def test_where_the_names_are() -> None:
    table = [NAMES, *ROWS]
    assert names_line(table) == 0
    assert names_line([["Extraction du bloc au 31/12/2025"], [], *table]) == 2
    assert names_line([["Bloc", "01/01/2025", "", "", "", "", "", ""], *table]) == 1
    assert names_line([["Export", "01/01/2025"], ["id", "nom"], ["1", "MARTIN"], ["2", "PETIT"]]) == 1
    assert names_line([["Patient", "MARTIN"], [], ["id", "lot"], ["K1", "A12"], ["K2", "B13"]]) == 2
    assert names_line([["id", "lot"], [], ["K1", "A12"], ["K2", "B13"]]) == 0
    assert names_line([[], *table, []]) == 1
    assert names_line(ROWS) is None
    assert names_line([]) is None
    assert names_line([["a", "b"]]) == 0


def test_a_title_of_as_many_words_as_columns() -> None:
    assert names_line([["DUPONT", "JEAN"], ["nip", "lot"], ["1", "A"], ["2", "B"]]) == 1
    assert names_line([["DUPONT", "JEAN"], ["nip", "lot"], ["1", "A12"], ["2", "B13"]]) == 1
    assert names_line([["DUPONT", "JEAN"], ["Service", "Ortho"], ["nip", "lot"], ["1", "A12"], ["2", "B13"]]) == 2
    # A first row of words is none.
    assert names_line([["id", "lot"], ["ABC", "X"], ["K1", "A12"], ["K2", "B13"]]) == 0
    assert names_line([["NOM", "LOT"], ["Martin", "Abc"], ["PETIT", "A12"], ["DURAND", "B13"]]) == 0
    assert names_line([["nom", "age"], ["Martin", "inconnu"], ["Petit", "12"], ["Durand", "13"]]) == 0
    assert names_line([["nom", "organe"], ["MARTIN", "Hanche"], ["PETIT", "Genou"]]) == 0


def test_where_the_names_of_a_map_are() -> None:
    table: list[Sequence[str]] = [["CHU"], ["Nom du service", "Ortho"], [name.upper() for name in NAMES], *ROWS]
    assert names_line(table, ["Nom", "Lot", "Côté"]) == 2
    assert names_line(table, ["Nom", "Lot", "Côté", "Série", "Fabricant"]) == 2
    assert names_line(table, ["Nom", "Série", "Fabricant"]) is None
    assert names_line([["id", "lot"], ["id", "lot"]], ["lot"]) == 0


numbers = st.integers(10**12, 9 * 10**14).map(str)
days = st.dates(date(1900, 1, 1)).map(lambda day: format(day, "%d/%m/%Y"))
surnames = st.text("ABCDEFGHIJ -'ÉÈ", min_size=1, max_size=20)
lots = st.text("ABC0123456789-", min_size=1, max_size=12)
sides = st.sampled_from(["D", "G", "Droite", ""])
data_lines = st.tuples(st.one_of(numbers, days), surnames, lots, sides).map(list)


@given(st.lists(data_lines, min_size=1, max_size=6))
def test_no_line_of_a_file_without_names_is_taken_for_them(lines: list[list[str]]) -> None:
    # Columns in one order, as in a file.
    one_kind = [line for line in lines if ("/" in line[0]) == ("/" in lines[0][0])]
    assert names_line(one_kind) is None
    assert names_line(one_kind, ["numero", "nom", "lot"]) is None


@given(
    st.lists(st.sampled_from(NAMES), min_size=2, max_size=8, unique=True),
    st.lists(st.tuples(*([st.one_of(numbers, days)] * 8)), min_size=1, max_size=5),
)
def test_names_are_found_above_any_data(names: list[str], rows: list[tuple[str, ...]]) -> None:
    table = [names, *(list(row[: len(names)]) for row in rows)]
    assert names_line(table) == 0
    assert names_line([["Titre"], *table], names) == 1
