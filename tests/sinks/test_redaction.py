"""A value of the payload is found in a receiver's words in whatever spelling; what is of no one stays."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.data import JsonValue
from fhirmap.sinks.redaction import Redactor, may_quote, payload_values, quotes_a_value, redact, redact_numbers
from tests.sinks.phrases import innocent_phrases, private_phrases

VALUES = {
    "284051012345678": "nir",
    "1951-02-03": "born",
    "DÜRAND-O'Brien Jean-Rémi": "name",
    "Ng": "family",
    "A213-b456": "lot",
    "Œuvrard": "surgeon",
    "4711": "number",
}


@pytest.mark.parametrize(
    "quote",
    [
        "284051012345678",
        "2 84 05 10 123 456 78",
        "2\u00a084\u202f05  10/123.456-78",
        "2\u200b84\u200b05\u200b10123456",
        "2&nbsp;84&nbsp;05&#160;10123456",
        "2%2084%2005%2010%20123%20456",
        "2\\u00a084\\u00a005\\u00a010\\u00a0123",
        "２８４０５１０１２３４５６７８",
        "28405",
        "12345678",
        "...10123456...",
        "2%252084%2520051012",
    ],
)
def test_a_number(quote: str) -> None:
    shown = redact(f"inconnu: {quote}, voir plus bas", VALUES)
    assert shown.startswith("inconnu: ") and shown.endswith(", voir plus bas")
    assert not any(sign.isdigit() for sign in shown.replace("u00a0", "").replace("u202f", "").replace("#160", "")), (
        shown
    )


@pytest.mark.parametrize(
    "quote",
    [
        "Dürand-O'Brien Jean-Rémi",
        "DURAND OBRIEN",
        "jean rémi dürand o brien",
        "Obrien Durand, Jeanremi",
        "O\u2019BRIEN",
        "DU\u0308RAND",
        "D&uuml;rand",
        "Duran",
        "REMI",
        "ng",
        "NG",
        "oeuvrard",
        "&OElig;uvrard",
        "%C5%92uvrard",
        "a213b456",
        "A 213 B 456",
        "4711",
    ],
)
def test_a_name_or_a_lot(quote: str) -> None:
    shown = redact(f"inconnu: {quote}: voir plus bas", VALUES)
    left = shown.removeprefix("inconnu: ").removesuffix(": voir plus bas")
    assert left != shown
    assert left.replace("[name]", "").replace("[family]", "").strip(" ,'\u2019") in (
        "",
        "[surgeon]",
        "[lot]",
        "[number]",
    )


@pytest.mark.parametrize(
    "quote",
    [
        "1951-02-03",
        "03/02/1951",
        "3/2/1951",
        "3.2.51",
        "03 02 51",
        "030251",
        "19510203",
        "510203",
        "02/03/51",
        "3 février 1951",
        "3 fév. 51",
        "03-FEB-1951",
        "February 3rd, 1951",
        "3rd of February 1951",
        "03feb1951",
        "02/1951",
        "1951-02",
        "1951-02-03T00:00:00+01:00",
    ],
)
def test_a_date(quote: str) -> None:
    shown = redact(f"le {quote} non", VALUES)
    assert re.fullmatch(r"le (?:\[(?:born|date)\][:, ]*)+ non", shown.replace(" non", "  non")), shown


def test_short_names_are_whole_words_and_words_of_sentences_stay() -> None:
    said = "Valeur changée, rang 12 sur 30: aucun implant du patient n'est connu"
    assert redact(said, VALUES | {"de la Croix": "other"}) == said


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Le patient Lefèvre Marie est inconnu", "Le patient [name] est inconnu"),
        ("patient lefèvre marie inconnu", "patient [name] inconnu"),
        ("M. LEFÈVRE né le 12/03/1980", "M. [name] né le [date]"),
        ("1.75.12.2A.111.001.73 inconnu", "[number] inconnu"),
        ("Bearer ab.cd/ef invalid", "Bearer [token] invalid"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln invalid", "token [token] invalid"),
        ("Bearer 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "Bearer [token]"),
        ("3f2504e04f8911d39a0c0305e82c3301", "[token]"),
        (
            "Correlation-ID: 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            "Correlation-ID: 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        ),
        ("20250312-1111-2222-3333-444455556666", "20250312-1111-2222-3333-444455556666"),
        ("write to ann.roe@chu.example or 01 23 45 67 89", "write to [address] or [number]"),
        ("Parameters.parameter[6].part[1].value: minimum 1", "Parameters.parameter[6].part[1].value: minimum 1"),
        (
            "http://hl7.org/fhir/StructureDefinition/Parameters 4.0.1",
            "http://hl7.org/fhir/StructureDefinition/Parameters 4.0.1",
        ),
        ("Erreur technique, réessayez dans 30 s", "Erreur technique, réessayez dans 30 s"),
        ("a\x1b[2J\nb\u202ec", "a\\x1b[2J\\x0ab\\u202ec"),
    ],
)
def test_what_no_payload_holds(words: str, shown: str) -> None:
    assert redact(words, {}) == shown


@pytest.mark.parametrize("phrase", private_phrases())
def test_what_is_of_a_person_is_masked_and_nothing_beside_it(phrase: str) -> None:
    shown = redact(re.sub("[{}]", "", phrase), {})
    mark = r"\[(?:name|date|number|token|address)\]"
    parts = re.split(r"\{[^}]*\}", phrase)
    around = rf"(?:{mark}|\W*{mark}(?:\W*{mark})*)".join(map(re.escape, parts))
    assert re.fullmatch(around, shown), shown


@pytest.mark.parametrize("phrase", innocent_phrases())
def test_what_is_of_no_one_is_shown(phrase: str) -> None:
    assert redact(phrase, {}) == phrase


def _spellings(value: str) -> Iterator[str]:
    """What programs make of a value on its way into a message."""
    octets = value.encode()
    yield from (value.upper(), value.lower(), value.swapcase())
    percent = "".join(f"%{octet:02X}" for octet in octets)
    yield from (percent, quote(value), quote(quote(value)), quote(percent), quote(quote(percent)))
    yield from ("".join(f"&#{ord(sign)};" for sign in value), "".join(f"&amp;#x{ord(sign):x};" for sign in value))
    yield from (json.dumps(value)[1:-1], "".join(f"\\u{ord(sign):04x}" for sign in value))
    yield from (b64encode(octets).decode(), b64encode(b'{"v": "' + octets + b'"}').decode())
    yield from (between.join(value) for between in (" ", ".", "-", "*", "\u200b", "\u00ad", "\u00a0"))
    yield from (f"<b>{value[:2]}</b>{value[2:]}", f"{value[:2]}\n{value[2:]}", f"x{value}")


@pytest.mark.parametrize("value", ["284051012345678", "Martel", "Élodie", "1941-02-02", "Le Goff", "Ouessant"])
def test_a_value_of_the_record_in_what_programs_make_of_it(value: str) -> None:
    redactor = Redactor({value: "value"})
    for spelled in _spellings(value):
        shown = redactor.redacted(f"ici {spelled} voir")
        left = re.sub(r"\[\w+\]|</?b>|&(?:amp;)*#x?[0-9a-f]+;|\\x0a|%[0-9A-F]{2}", "", shown)
        assert re.fullmatch(r"ici \W*voir", left), (spelled, shown)


def test_ordinary_words_stay_though_a_value_has_them_in_it() -> None:
    values = {"Prothèse totale de hanche, intervention programmée": "note", "Interne": "given"}
    said = "Erreur interne : aucune intervention du registre ne correspond"
    assert redact(said, values) == "Erreur [given] : aucune intervention du registre ne correspond"


def test_values_are_those_of_the_data_and_not_of_its_structure() -> None:
    resource = {
        "resourceType": "Bundle",
        "parameter": [{"name": "count", "valueInteger": 4711}, {"name": "is", "valueBoolean": True}],
        "entry": [
            {
                "resource": {
                    "resourceType": "Organization",
                    "name": "Clinique Roy",
                    "subject": {"reference": "Patient/ab-12", "display": "Zoé Roy"},
                    "code": {"coding": [{"system": "urn:x", "code": "c", "display": "Hanche"}]},
                }
            }
        ],
    }
    assert payload_values(resource) == {
        "4711": "count",
        "Clinique Roy": "name",
        "ab-12": "reference",
        "Zoé Roy": "display",
    }


@pytest.mark.parametrize("identifier", ["284051012345678", "R-284051012345678", "durand obrien jean remi", "Ng-"])
def test_an_identifier_that_quotes(identifier: str) -> None:
    is_short = identifier == "Ng-"
    assert quotes_a_value(identifier, VALUES) is not is_short


@pytest.mark.parametrize("identifier", ["R-00001", "2025-000123", "1951", "3f2504e0-4f89-11d3"])
def test_an_identifier_of_the_receivers_own(identifier: str) -> None:
    assert not quotes_a_value(identifier, VALUES)


_TEXTS = st.text(st.sampled_from('abAB01é\u00c9\u03b1ß ./-&;<%"\\_\u0300\u00a0\ufb01'), max_size=9) | st.sampled_from(
    ["AB/cd-1234", "&eacute;t&eacute;12", "Été 2025", "Patient/284051012"]
)
_NODES = st.recursive(
    _TEXTS | st.integers(-(10**9), 10**9) | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["reference", "value", "name", "code", "display"]), inner, max_size=3)
    ),
)


@given(_NODES, st.data())
def test_what_quotes_a_value_is_never_passed_over(node: JsonValue, data: st.DataObject) -> None:
    resource = {"resourceType": "Parameters", "parameter": [{"name": "a", "valueString": node}]}
    values = [*payload_values(resource), "ab"]
    identifier = "".join(data.draw(st.lists(st.sampled_from(values) | _TEXTS, max_size=3)))
    if quotes_a_value(identifier, values[:-1]):
        for payload in (json.dumps(resource), json.dumps(resource, ensure_ascii=False, separators=(",", ":"))):
            assert may_quote(identifier, payload.encode())


@pytest.mark.parametrize("identifier", ["2026-11-000123", "3f2504e0-4f89-11d3", "Procedure/12"])
def test_most_identifiers_have_nothing_of_a_payload(identifier: str) -> None:
    values = ["2026-11-30", "VIS À 5 %", "Smith & Nephew", "L0000123", "Zoé"]
    resource = {"value": values, "reference": "Patient/4f89"}
    payload = json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()
    assert not may_quote(identifier, payload)


@pytest.mark.parametrize("words", ["Kim is", "KIM is", "K\u0131m is", "\u212aim is", "\uff2bi\u0307m is"])
def test_letters_that_are_one_in_another_case(words: str) -> None:
    assert redact(words, {"Kim ": "family"}) == "[family] is"


def test_long_numbers_alone() -> None:
    assert redact_numbers("Zoé, 2 84 05 10 123 456 78, le 03/02/1951") == "Zoé, [number], le 03/02/1951"


def test_words_are_shown_up_to_a_length() -> None:
    shown = redact("mot " * 5000 + "284051012345678", VALUES)
    assert shown.endswith("…") and len(shown) == 4001
    assert "28405" not in redact("m " * 1995 + "284051012345678", VALUES)


@pytest.mark.parametrize("piece", ["1 ", "é", "@", "jan ", "&amp;", "Bearer "])
def test_much_of_words_is_read_once(piece: str) -> None:
    words = piece * ((1 << 18) // len(piece))
    started = time.process_time()
    redact_numbers(words)
    quotes_a_value(words, VALUES)
    Redactor(VALUES).redacted(words)
    assert time.process_time() - started < 60  # a pattern that goes back would take hours
