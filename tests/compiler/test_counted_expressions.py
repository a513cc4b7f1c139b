"""Loops inside a loop of one expression are counted where they may multiply, and say the same as before."""

from __future__ import annotations

from typing import Any

import pytest

from fhirmap import Transformer, compile_map
from fhirmap.runtime import context

_MAP = """uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
group main(source src : Patient, target tgt : Basic) { src -> tgt.language = (VALUE) "value"; }
"""
_EXTENSION: dict[str, Any] = {"url": "u", "valueString": "v"}
for _ in range(12):
    _EXTENSION = {"url": "u", "extension": [_EXTENSION, {"url": "w", "valueString": "x"}]}
_PATIENT = {
    "resourceType": "Patient",
    "id": "fr",
    "extension": [_EXTENSION],
    "name": [{"family": str(rank), "given": ["a", "b"]} for rank in range(20)],
}
_SMALL = {"resourceType": "Patient", "id": "fr", "name": [{"family": "a", "given": ["b"]}, {"family": "c"}]}
_TEN = "(1|2|3|4|5|6|7|8|9|10)"
_COUNT = ".count().toString()"


def _compiled(value: str) -> Transformer:
    return compile_map(_MAP.replace("VALUE", value), validate=False)


_PRODUCTS = [
    ("src.descendants().all($this.descendants().all($this.descendants().empty().not() or true)).toString()", "true"),
    ("src.descendants().descendants().descendants().descendants()" + _COUNT, "0"),
    ("src.descendants().select(%src.descendants().select(%src.name))" + _COUNT, "72"),
    ("src.name.select(%src.name.select(%src.name.given))" + _COUNT, "4"),
    ("src.name.where(%src.name.all(%src.name.exists(family = 'c')))" + _COUNT, "2"),
    ("src.name.exists(%src.name.where(%src.name.exists(family = 'z')).exists()).toString()", "false"),
    (f"{_TEN}.select({_TEN}.select({_TEN}.select({_TEN})))" + _COUNT, "10000"),
    (f"{_TEN}.aggregate($total + {_TEN}.aggregate($total + {_TEN}.count(), 0), 0).toString()", "1000"),
    ("src.name.select(%src.name.select(%src.name.repeat(given)))" + _COUNT, "4"),
    ("src.name" + ".select($this.combine($this))" * 12 + _COUNT, "8192"),
]


@pytest.mark.parametrize(("value", "says"), _PRODUCTS)
def test_an_expression_that_multiplies_ends_as_a_fault(monkeypatch: pytest.MonkeyPatch, value: str, says: str) -> None:
    transformer = _compiled(value)
    assert "run.counted" in transformer.source
    found = transformer(_SMALL).resource
    assert found is not None
    assert found["language"] == says
    monkeypatch.setattr(context.RecordRun, "steps_left", 60)
    result = transformer(_PATIENT)
    assert [(fault.code, fault.variant) for fault in result.faults] == [("FM414", "steps")]
    assert result.resource is None
    assert result.faults[0].position.startswith("<string>:3:")


def test_constants_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _MAP.replace("group", f"let many = {_TEN}.select({_TEN}.select({_TEN}));\ngroup")
    transformer = compile_map(text.replace("VALUE", "many.count().toString()"), validate=False)
    assert transformer(_SMALL).resource == {"resourceType": "Basic", "language": "1000"}
    monkeypatch.setattr(context.RecordRun, "steps_left", 500)
    assert [fault.variant for fault in transformer(_SMALL).faults] == ["steps"]


@pytest.mark.parametrize(
    "value",
    [
        "src.descendants()" + _COUNT,
        "src.descendants().reference" + _COUNT,
        "src.name.where(given.exists($this = 'a')).given.first()",
        "src.contact.select(telecom.where(system = 'phone').extension.select(extension.value))" + _COUNT,
        "src.name.given.select($this & 'x')" + _COUNT,
        "src.extension.repeat(extension).where(url = 'u')" + _COUNT,
        "src.name.given.combine(src.name.family)" + _COUNT,
    ],
)
def test_loops_that_go_down_the_record_are_not_counted(value: str) -> None:
    assert "run.counted" not in _compiled(value).source


def test_collections_that_double_end_as_a_fault() -> None:
    lets = "let c0 = ('a'|'b');\n" + "".join(f"let c{rank + 1} = c{rank}.combine(c{rank});\n" for rank in range(30))
    text = _MAP.replace("group", f"{lets}group").replace("VALUE", "c30.count().toString()")
    result = compile_map(text, validate=False)(_SMALL)
    assert [(fault.code, fault.variant) for fault in result.faults] == [("FM433", "endless_repeat")]


@pytest.mark.parametrize(
    "step",
    ["$total & $this", "$total & $this & $this", "$total | $this", "$total.combine($this)", "$total.exclude($this)"],
)
def test_what_aggregate_gathers_is_counted_as_it_grows(step: str) -> None:
    start = "src.name.family" if "exclude" in step else "''" if "&" in step else "{}"
    transformer = _compiled(f"src.name.family.aggregate({step}, {start}).count().toString()")
    length = 1 if "&" not in step else 2_000
    few, many = (
        {"resourceType": "Patient", "name": [{"family": str(rank) * length} for rank in range(size)]}
        for size in (9, 9_000)
    )
    assert not transformer(few).faults
    assert [(fault.code, fault.variant) for fault in transformer(many).faults] == [("FM414", "steps")]


_AGAIN = (
    "%src.name.count() > 0",
    "%src.name.last().family = family",
    "family in %src.name.family",
    "%src.name.skip(1).exists()",
    "%src.name.family.isDistinct()",
    "%src.name.family.join('').length() > 0",
    "%src.name = %src.name",
    "%src.name.subsetOf(%src.name)",
    "%texts.contains(family)",
)


@pytest.mark.parametrize("criterion", _AGAIN)
def test_what_is_gone_through_again_for_each_item_is_counted(criterion: str) -> None:
    lets = "let texts = (1|2|3).select('x').join('y');\n"
    text = _MAP.replace("VALUE", f"src.name.where({criterion}).count().toString()").replace("group", f"{lets}group", 1)
    transformer = compile_map(text, validate=False)
    few, many = (
        {"resourceType": "Patient", "name": [{"family": f"f{rank}"} for rank in range(size)]} for size in (9, 1_500)
    )
    assert not transformer(few).faults
    wanted = [] if "%texts" in criterion else [("FM414", "steps")]
    assert [(fault.code, fault.variant) for fault in transformer(many).faults] == wanted
    assert "run.counted" in transformer.source
