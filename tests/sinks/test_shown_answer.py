"""What of an answer is shown: codes of FHIR, declared texts, words without values; identifiers that quote are said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhirmap.records import Issue, Receipt, ReceiptState
from fhirmap.sinks import AnswerWords, outcome
from fhirmap.sinks.fhir_transaction import classify_transaction
from fhirmap.sinks.shown_answer import AnswerFilter, without_secrets
from fhirmap.sinks.transport import HttpAnswer

NUMBER = "284051012345678"
SENT = json.dumps(
    {
        "resourceType": "Parameters",
        "parameter": [{"name": "nir", "valueString": NUMBER}, {"name": "Naissance", "valueDate": "1951-02-03"}],
    }
).encode()


def shown(words: str, **more: Any) -> Issue:
    said = AnswerWords(("Etablissement {finess} inconnu au {date}.", "Refus de Dupont"), ("RPPS",))
    (found,) = AnswerFilter(SENT, said).issues([Issue("error", "processing", words, **more)])
    return found


@pytest.mark.parametrize(
    ("words", "as_shown"),
    [
        ("etablissement 750100018  inconnu au 3 mars.", "Etablissement {finess} inconnu au {date}."),
        ("Refus de Dupont", "Refus de Dupont"),
        ("Refus de Dupont Marie", "Refus de [name]"),
        ("RPPS inconnu, NIR 28405, Naissance", "RPPS inconnu, NIR [nir], Naissance"),
        ("", ""),
    ],
)
def test_words(words: str, as_shown: str) -> None:
    assert shown(words).diagnostics == as_shown


def test_a_code_and_a_severity_that_fhir_does_not_have_are_not_shown() -> None:
    (found,) = AnswerFilter(SENT).issues([Issue(NUMBER, "Dupont", "x", (f"Parameters.where(value='{NUMBER}')",))])
    assert (found.severity, found.code, found.expression) == ("error", "", ("Parameters.where(value='[nir]')",))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("DUPONT Marie 3", "FM691"),
        ("ne 02/02/1941", "FM691"),
        ("A/2025/12", ""),
        ("R-1", ""),
        (NUMBER, "FM691"),
        ("1951-02-03/7", "FM691"),
        ("1 51 02 46 102 043 72", "FM691"),
        ("", ""),
    ],
)
def test_an_identifier_that_quotes_is_kept_and_said(value: str, code: str) -> None:
    receipt = Receipt(ReceiptState.ACCEPTED, "", 200, identifier_value=value)
    found = AnswerFilter(SENT).identified(receipt)
    assert (found.state, found.code, found.identifier_value) == (ReceiptState.ACCEPTED, code, value)


def test_both_kinds_of_receivers_say_it() -> None:
    given = {"resourceType": "Parameters", "parameter": [{"name": "x", "valueIdentifier": {"value": NUMBER}}]}
    answer = HttpAnswer(200, {}, json.dumps(given).encode(), True, 0.0)
    assert outcome.classify(answer, SENT, 0.0).code == "FM691"
    created = {"response": {"status": "201", "location": f"Procedure/{NUMBER}/_history/1"}}
    answer = HttpAnswer(200, {}, json.dumps({"resourceType": "Bundle", "entry": [created]}).encode(), True, 0.0)
    found = classify_transaction(answer, SENT, 0.0)
    assert (found.code, found.identifier_value) == ("FM691", f"Procedure/{NUMBER}")


def test_the_requests_own_secrets_are_taken_out_and_nothing_else() -> None:
    issue = Issue("error", "security", "NIR Dupont: pass-word-zz and PASS word", ("x.where(y='pass-word-zz')",))
    receipt = Receipt(ReceiptState.REFUSED, "FM660", 400, (issue,))
    (found,) = without_secrets(receipt, ["", "no-cache"[:2], "pass-word-zz"]).issues
    assert found.diagnostics == "NIR Dupont: [token] and [token]"
    assert found.expression == ("x.where(y='[token]')",)
    assert without_secrets(receipt, [""]) is receipt


def test_marks_that_are_made_are_left_alone() -> None:
    said = "[token] and [name], not [tokens] nor [token-name-zz]"
    receipt = Receipt(ReceiptState.REFUSED, "FM660", 400, (Issue("error", "security", said),))
    (found,) = without_secrets(receipt, ["token-name-zz"]).issues
    assert found.diagnostics == "[token] and [name], not [[token]] nor [[token]]"
