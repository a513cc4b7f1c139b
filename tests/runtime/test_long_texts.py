"""Texts that grow out of bounds are a fault of the record."""

from __future__ import annotations

import pytest

from fhirmap import compile_map
from fhirmap.errors import TransformFailed
from fhirmap.runtime.fhirpath.long_texts import MOST_CHARACTERS, bounded_sum, check_length
from fhirmap.runtime.transforms.text import escape

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


_CHAIN = """uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
group main(source src : Patient, target tgt : Basic) { src.id as a then g0(a, tgt) "start"; }
"""
_DOUBLED = (
    "%s & %s",
    "%s + %s",
    "%s & %s.upper()",
    "%s.upper() & %s.upper()",
    "%s & '-' & %s",
    "iif(%s.exists(), %s & %s, 'x')",
    "%s.encode('hex')",
    "%s.encode('base64').encode('hex')",
    "(%s & '\"').escape('json').escape('json')",
)


@pytest.mark.parametrize("doubled", _DOUBLED)
def test_a_text_that_groups_hand_on_and_double_ends_as_a_fault(doubled: str) -> None:
    step = "group g{}(source s : string, target t : Basic) {{ s -> t then g{}(({}), t) 'r'; }}\n"
    groups = "".join(step.format(rank, rank + 1, doubled) for rank in range(40))
    end = "group g40(source s : string, target t : Basic) { s -> t.id = s 'r'; }\n"
    result = compile_map(_CHAIN + groups + end, validate=False)({"resourceType": "Patient", "id": "a" * 64})
    assert [(fault.code, fault.variant) for fault in result.faults] == [("FM433", "long_text")]


@pytest.mark.parametrize("doubled", ["(%{0} & %{0})", "(%{0} + %{0})", "append({0}, {0})"])
def test_a_text_that_a_rule_doubles_ends_as_a_fault(doubled: str) -> None:
    steps = ", ".join(f"{doubled.format(f'v{rank}')} as v{rank + 1}" for rank in range(40))
    rule = f"src.id as v0 -> {steps}, tgt.id = v40 'r';"
    text = _CHAIN[: _CHAIN.index("group")] + f"group main(source src : Patient, target tgt : Basic) {{ {rule} }}\n"
    result = compile_map(text, validate=False)({"resourceType": "Patient", "id": "a" * 64})
    assert [(fault.code, fault.variant) for fault in result.faults] == [("FM433", "long_text")]


@pytest.mark.parametrize("format_", ["json", "java"])
def test_a_text_that_is_escaped_again_and_again_ends_as_a_fault(format_: str) -> None:
    text = '"' * 1_000
    with pytest.raises(TransformFailed) as raised:
        for _ in range(40):
            text = escape(text, "plain", format_) or ""
    assert raised.value.diagnostic().variant == "long_text"
