"""Documents as bytes: what is read, with its digits, and what cannot be."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhirmap.diagnostics import Diagnostic
from fhirmap.interchange.formats import in_order, json_text, read_document, read_value, text_of
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types
from fhirmap.texts import Text

R4, R5 = Definitions(base_types("R4")), Definitions(base_types("R5"))


def broken(content: bytes) -> Diagnostic:
    found = read_document(content, "a.json", R4)
    assert isinstance(found, Diagnostic)
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_in_each_encoding_keeps_the_digits_of_decimals(encoding: str) -> None:
    found = read_document('{"é": 1.50}'.encode(encoding), "a.json", R4)
    assert isinstance(found, dict)
    assert (found["é"], str(found["é"])) == (Decimal("1.50"), "1.50")


def test_a_document_says_its_format_itself() -> None:
    found = read_document(b'<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>', "a.json", R4)
    assert found == {"resourceType": "Patient", "active": True}


@pytest.mark.parametrize(
    ("content", "code", "position"),
    [
        (b'{"a": }', "FM351", "a.json:1:7"),
        (b'{"a":\n 1,}', "FM351", "a.json:2:4"),
        (b"[1]", "FM351", "a.json:1:1"),
        (b'{"a": NaN}', "FM351", "a.json:1:1"),
        (b"<a><b></a>", "FM351", "a.json:1:9"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY b "c">]>\n<a>&b;</a>', "FM351", "a.json:2:13"),
        (b"<!DOCTYPE a SYSTEM 'a.dtd'><a/>", "FM351", "a.json:1:27"),
        (b"[" * 100_000, "FM351", "a.json:1:1"),
        (b'{"a": 9E99999999999999999999}', "FM351", "a.json:1:1"),
        (b'{"a": ' + b"9" * 5000 + b"}", "FM351", "a.json:1:1"),
    ],
)
def test_a_broken_document_is_one_diagnostic_with_its_place(content: bytes, code: str, position: str) -> None:
    found = broken(content)
    assert found.span is not None
    assert (found.code, found.span.position) == (code, position)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": ', "ends_early"),
        (b'{"a": }', "out_of_place"),
        (b"<a><b/>", "ends_early"),
        (b"<a><b></a>", "other_tag"),
        (b"<!DOCTYPE a><a/>", "document_type"),
        (b"<a b></a>", "out_of_place"),
    ],
)
def test_the_reason_is_from_the_catalogue(content: bytes, reason: str) -> None:
    assert broken(content).args["reason"] == Text(f"reasons.{reason}")


def test_bytes_that_are_no_text() -> None:
    assert broken(b'{"a": "\xe9"}').code == "FM350"


def test_a_value_may_be_anything() -> None:
    assert read_value(b"[1, null]", "a.json", R4) == [1, None]


def test_json_text_is_read_back() -> None:
    node = {"a": Decimal("1.50"), "b": [{"c": True}, {}], "d": [], "é": "x\n"}
    text = json_text(node)
    assert read_document(text.encode(), "a.json", R4) == node
    assert '"a": 1.50' in text


def test_elements_are_in_the_order_of_their_structure() -> None:
    patient = R4.structure("Patient")
    assert patient is not None
    node = {"gender": "male", "x": 1, "name": [{"given": ["A"], "family": "B"}], "resourceType": "Patient"}
    ordered = in_order(node, R4, patient.root)
    assert list(ordered) == ["resourceType", "name", "gender", "x"]
    assert list(ordered["name"][0]) == ["family", "given"]
    assert text_of(node, "json", R4, patient) == json_text(ordered)
    assert text_of(node, "xml", R4, patient).index("family") < text_of(node, "xml", R4, patient).index("given")


def test_a_number_of_64_bits_is_a_text() -> None:
    node = {
        "resourceType": "Patient",
        "multipleBirthInteger": 2,
        "photo": [{"size": 250}],
        "extension": [{"url": "u", "valueInteger64": 5}, {"url": "u", "valueInteger64": "6"}],
    }
    written = in_order(node, R5, R5.type_ref("Patient"))
    assert written["photo"] == [{"size": "250"}]
    assert [entry["valueInteger64"] for entry in written["extension"]] == ["5", "6"]
    assert written["multipleBirthInteger"] == 2
