"""Repairs of numbers: every kind alike, each noted on the record, and none that is not certain."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.compilation.maps import compile_map
from fhirmap.functions import identity, repaired_numbers
from fhirmap.functions.identity import (
    finess_luhn_valid,
    finess_number,
    nir_key_valid,
    nir_number,
    nir_with_key,
    rpps_luhn_valid,
    rpps_number,
)
from fhirmap.functions.repaired_numbers import Repair
from fhirmap.runtime.transformer import Transformer

NIR, RPPS, FINESS = "149113897061759", "10999000010", "010780005"
OF_KIND = {"nir": identity.NIR, "rpps": identity.RPPS, "finess": identity.FINESS}
KINDS: dict[str, tuple[str, str, Callable[[str], str | None], Callable[[str], bool]]] = {
    "nir": (NIR, "nirWithKey", nir_with_key, nir_key_valid),
    "rpps": (RPPS, "rppsNumber", rpps_number, rpps_luhn_valid),
    "finess": (FINESS, "finessNumber", finess_number, finess_luhn_valid),
}


def exponent(number: str) -> str:
    return f"{number[0]}.{number[1:]}E{len(number) - 1}"


WAYS: dict[str, tuple[Callable[[str], str], tuple[Repair, ...]]] = {
    "as it is": (lambda n: n, ()),
    "blanks": (lambda n: f" {n[:3]} {n[3:6]}  {n[6:]} ", ()),
    "a blank that does not break": (lambda n: f"{n[:3]}\u00a0{n[3:]}\u00a0", ()),
    "a narrow blank": (lambda n: f"{n[:3]}\u202f{n[3:]}", ()),
    "dots": (lambda n: f"{n[:1]}.{n[1:3]}.{n[3:]}", ()),
    "dashes": (lambda n: f"{n[:1]}-{n[1:3]}\u2011{n[3:]}", ()),
    "signs without width": (lambda n: f"\ufeff{n[:3]}\u200b{n[3:]}", (Repair.INVISIBLE,)),
    "an apostrophe": (lambda n: f"'{n}", (Repair.WRAPPED,)),
    "a curved apostrophe": (lambda n: f"’{n}", (Repair.WRAPPED,)),
    "a formula": (lambda n: f'="{n}"', (Repair.WRAPPED,)),
    "a formula, bare": (lambda n: f"={n}", (Repair.WRAPPED,)),
    "quotes": (lambda n: f'"{n}"', (Repair.WRAPPED,)),
    "decimals": (lambda n: f"{n}.0", (Repair.DECIMALS,)),
    "decimals with a comma": (lambda n: f"{n},00", (Repair.DECIMALS,)),
    "decimals in a formula, in groups": (lambda n: f'="{n[:4]} {n[4:]}.0"', (Repair.WRAPPED, Repair.DECIMALS)),
    "a letter": (lambda n: n[:4] + n[4:].replace("0", "O"), (Repair.LETTER,)),
    "a small letter": (lambda n: n[:4] + n[4:].replace("0", "o", 1), (Repair.LETTER,)),
}
"""A way of writing: of each kind alike, with what is noted."""
EXPONENTS = {kind: (exponent(number), (Repair.EXPONENT,)) for kind, (number, *_) in KINDS.items() if number[0] != "0"}
"""A number that begins with zero has none in front of an exponent."""
OWN = [
    ("rpps", f"8{RPPS}", (Repair.TYPE_DIGIT,)),
    ("rpps", f"8 {RPPS}.0", (Repair.DECIMALS, Repair.TYPE_DIGIT)),
    ("rpps", f"8{RPPS}".replace("0", "O"), (Repair.LETTER, Repair.TYPE_DIGIT)),
    ("finess", f"1{FINESS}", (Repair.TYPE_DIGIT,)),
    ("finess", f"'1-{FINESS}", (Repair.WRAPPED, Repair.TYPE_DIGIT)),
    ("finess", FINESS[1:], (Repair.ZERO,)),
    ("finess", f"{FINESS[1:]},0", (Repair.DECIMALS, Repair.ZERO)),
    *((kind, *way) for kind, way in EXPONENTS.items()),
]
"""What only some kinds have: a digit of their type in the national identifier, a zero in front."""
CASES = [
    *((kind, write(KINDS[kind][0]), noted) for write, noted in WAYS.values() for kind in KINDS),
    *OWN,
]
MAP = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target

model Row from csv key 'id' {{
  id : string 1..1 from 'id'
  n  : string 0..1 from 'n'
}}

group g(source src : Row, target tgt : Patient) {{
  src.id as v -> tgt.id = v "id";
  src.n as v -> tgt.identifier as i, i.value = {function}(v) "number";
}}
"""


def test_examples_of_the_documentation() -> None:
    assert doctest.testmod(repaired_numbers).failed == 0


@pytest.mark.parametrize(("kind", "written", "noted"), CASES)
def test_every_kind_alike(kind: str, written: str, noted: tuple[Repair, ...]) -> None:
    number, _, mend, is_valid = KINDS[kind]
    assert mend(written) == number
    assert is_valid(number)
    assert repaired_numbers.repaired(written, OF_KIND[kind]).repairs == noted
    # Of a whole record: what reading mends is a warning as well (FM460).
    result = compiled(kind)({"id": "K1", "n": written})
    assert result.resource == {"resourceType": "Patient", "id": "K1", "identifier": [{"value": number}]}
    assert bool(result.faults) == bool(noted)
    assert {fault.code for fault in result.faults} <= {"FM460", "FM470"}
    assert {fault.severity for fault in result.faults} <= {"warning"}
    assert not any(number in str(fault) for fault in result.faults)


@cache
def compiled(kind: str) -> Transformer:
    return compile_map(MAP.format(function=KINDS[kind][1]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_repair_is_a_warning_of_the_record_at_its_rule(kind: str) -> None:
    number, transformer = KINDS[kind][0], compiled(kind)
    # What a spreadsheet did is undone when the cell is read: a letter is what only the function can know.
    written = number[:4] + number[4:].replace("0", "O", 1)
    result = transformer({"id": "K1", "n": written})
    assert result.resource == {"resourceType": "Patient", "id": "K1", "identifier": [{"value": number}]}
    (fault,) = result.faults
    assert (fault.code, fault.variant, fault.severity) == ("FM470", "letter", "warning")
    assert fault.columns == ("n",)
    assert ":10:" in fault.position
    assert not fault.args
    assert transformer({"id": "K2", "n": number}).faults == ()


def test_one_warning_for_a_rule_that_runs_often_and_none_outside_a_run() -> None:
    text = MAP.replace("0..1 from 'n'", "0..* from 'n' split ','").format(function="rppsNumber")
    result = compile_map(text)({"id": "K1", "n": f"8{RPPS},8{RPPS}"})
    assert result.resource is not None and len(result.resource["identifier"]) == 2
    assert [fault.variant for fault in result.faults] == ["type_digit"]
    assert rpps_number(f"8{RPPS}") == RPPS
    assert [fault.variant for fault in result.faults] == ["type_digit"]


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        # digits are lost, or nothing agrees
        ("nir", "1,49114E+14"),
        ("rpps", "1,0999E+10"),
        ("finess", "3,1078E+08"),
        ("nir", f"{NIR[:-1]}O"),
        ("rpps", "1O999000011"),
        ("finess", "O10780006"),
        ("nir", "1491138O70617"),  # no key: nothing agrees
        ("finess", "10780006"),
        ("finess", "0780005"),
        ("finess", "2A9990O15"),
        ("rpps", f"9{RPPS}"),
        ("rpps", f"1{FINESS}"),
        ("nir", f"8{NIR}"),
        ("finess", f"2{FINESS}"),
    ],
)
def test_what_is_not_certain_is_left_for_the_contract(kind: str, written: str) -> None:
    _, _, mend, is_valid = KINDS[kind]
    assert mend(written) == "".join(written.split())
    assert not is_valid(written)


@given(st.sampled_from(list(KINDS)), st.text("0123456789Oo2AB.,- '\"=E+\u00a0\u200b", max_size=22))
def test_any_text_is_a_number_of_its_kind_or_is_not_mended(kind: str, text: str) -> None:
    found = repaired_numbers.repaired(text, OF_KIND[kind])
    assert len(found.text) <= len(text) + 1
    if OF_KIND[kind].shape.fullmatch(found.text):
        assert repaired_numbers.repaired(found.text, OF_KIND[kind]).repairs == ()
    else:
        assert found.repairs == ()


def test_the_parts_of_a_person_s_number_are_mended_too() -> None:
    assert nir_with_key("'1 49 11 38 970 617", "59") == NIR
    assert nir_with_key("1491138970617.0") == NIR
    for key in ("59.0", '="59"', "'59", " 5 9", "59,00", "\u200b59"):
        assert nir_with_key("1491138970617", key) == NIR
    assert nir_with_key("2540629953007", "7.0") == "254062995300707"
    assert nir_with_key("1491138970617", "5O") == "14911389706175O"
    assert nir_number("1 49 11 2a 970 617") == "149112A970617"
    assert nir_key_valid(f'="{NIR}"')
