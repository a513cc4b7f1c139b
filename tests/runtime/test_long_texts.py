"""Texts that grow out of bounds are a fault of the record."""

from __future__ import annotations

import pytest

from fhirmap import compile_map
from fhirmap.errors import TransformFailed
from fhirmap.runtime.fhirpath.long_texts import MOST_CHARACTERS, bounded_sum, check_length

_MAP = """uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
LETS
group main(source src : Patient, target tgt : Basic) { src -> tgt.language = (VALUE) "value"; }
"""


def _faults(lets: str, value: str) -> list[tuple[str, str]]:
    transformer = compile_map(_MAP.replace("LETS", lets).replace("VALUE", value), validate=False)
    result = transformer({"resourceType": "Patient", "id": "a" * 40})
    return [(fault.code, fault.variant) for fault in result.faults]


def _lets(first: str, step: str) -> str:
    more = "".join(f"let c{rank + 1} = {step.format(f'c{rank}')};\n" for rank in range(22))
    return f"let c0 = {first};\n{more}"


@pytest.mark.parametrize(
    ("lets", "value"),
    [
        (_lets("'abcdefgh'", "{0} & {0}"), "c22.length().toString()"),
        (_lets("'abcdefgh'", "{0} + {0}"), "c22.length().toString()"),
        (_lets("'abcdefgh'", "{0} & 'x' & {0}"), "c22.length().toString()"),
        (_lets("('abcdefgh' | 'b').first()", "{0} & {0}"), "c22.length().toString()"),
        (_lets("'abcdefgh'", "{0}.replace('a', 'aaaa')"), "c22.length().toString()"),
        (_lets("'abcdefgh'", "{0}.replaceMatches('a', '" + "a" * 1000 + "')"), "c22.length().toString()"),
        (_lets("'abcdefgh'", "{0}.combine({0}).join()"), "c22.length().toString()"),
        ("", "src.id" + ".replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')" * 6),
        ("", "src.id" + ".replace('', 'xxx')" * 20),
    ],
)
def test_a_text_that_grows_ends_as_a_fault(lets: str, value: str) -> None:
    assert _faults(lets, value) == [("FM433", "long_text")]


def test_texts_up_to_the_limit_are_made() -> None:
    assert bounded_sum("a", "b", "&") == "ab"
    check_length(MOST_CHARACTERS, "join")
    assert len(bounded_sum("", "a" * (MOST_CHARACTERS + 1), "&")) == MOST_CHARACTERS + 1
    with pytest.raises(TransformFailed) as raised:
        bounded_sum("a" * MOST_CHARACTERS, "b", "&")
    assert raised.value.diagnostic().variant == "long_text"
    assert _faults("let c = 'x';", "c & src.id") == []
