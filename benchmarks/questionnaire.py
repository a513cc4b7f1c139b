"""A questionnaire response of many items: `python -m benchmarks.questionnaire`.

Time must grow with the items and no faster. Each item, read as FHIR JSON whose types are known at run time, becomes an
entry of a Bundle with an Observation: list modes, several rules on one list, codes, a nested group. 10,000 items are
compared with 100,000, validated against the base types as `fhirmap transform` does.

And questionnaire to Patient, against the same written by hand, without a validator: a constant, one answer, the parts
of a name, and these among 200 other questions; from dict to dict, and from JSON text to JSON text with msgspec around
both. What comes out is the same before anything is timed.

The reference engine (HAPI, on a warm Java virtual machine) cannot be had from the registries of packages that this
measures with. Its figures are constants, taken once on another machine, of a questionnaire response of the same shape;
they are not scaled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from benchmarks.figures import Figure, code_of
from benchmarks.timing import fastest
from fhirmap.compilation.maps import compile_map
from fhirmap.runtime.transformer import Transformer

FEW, MANY = 10_000, 100_000
BOUND_RATIO = 15.0
"""What ten times the items may cost, in times of the few: ten, and a margin for caches that are too small."""

MAP = """\
/// url = 'https://benchmark.example/StructureMap/questionnaire'
/// name = 'Questionnaire'
uses "http://hl7.org/fhir/StructureDefinition/QuestionnaireResponse" alias QR as source
uses "http://hl7.org/fhir/StructureDefinition/Bundle" alias Bundle as target
uses "http://hl7.org/fhir/StructureDefinition/Observation" alias Observation as target

conceptmap "units" { prefix s = "urn:x:s" prefix t = "urn:x:t" s:A - t:a s:B - t:b }

group main(source src : QR, target bundle : Bundle) {
  src -> bundle.type = 'collection' "type";
  src.item as item -> bundle.entry as entry, entry.resource = create('Observation') as o then answer(item, o) "items";
  src.item as item where (answer.value.ofType(string) = 'last') -> bundle.entry as entry last,
    entry.fullUrl = append('urn:x:', %item.linkId) "marked";
  src.item first as item -> bundle.entry as entry first, entry.fullUrl = 'urn:x:first' "first";
  src.item not_first as item where (linkId = 'i7' or linkId = 'i8') -> bundle.entry as entry,
    entry.fullUrl = 'urn:x:eight' "eight";
}

group answer(source item, target o : Observation) {
  item -> o.status = 'final' "status";
  item.linkId as v -> o.code = cc('urn:x:links', v) "code";
  item.text as t -> o.note as n, n.text = t "note";
  item.answer as a then {
    a.value : string as v -> o.value = v, o.interpretation = translate(v, '#units', 'CodeableConcept') "text";
    a.value : integer as v -> o.value = (%v) "number";
  } "answers";
  item.item as inner -> o.component as c then {
    inner.linkId as v -> c.code = cc('urn:x:links', v) "code";
    inner.answer as a then { a.value : string as v -> c.value = v "value"; } "answer";
  } "inner";
}
"""


PATIENT = """\
/// url = 'https://benchmark.example/StructureMap/to-patient'
/// name = 'ToPatient'
uses "http://hl7.org/fhir/StructureDefinition/QuestionnaireResponse" alias QR as source
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target

"""
CONSTANT_MAP = (
    PATIENT
    + """\
group main(source src : QR, target patient : Patient) {
  src -> patient.gender = 'female' "constant";
}
"""
)
SEX_MAP = (
    PATIENT
    + """\
group main(source src : QR, target patient : Patient) {
  src.item as section -> patient as p then questions(section, p) "section";
}

group questions(source section, target patient : Patient) {
  section.item as question where (linkId = 'sex') -> patient.gender = (question.answer.valueString) "sex";
}
"""
)
NAME_MAP = (
    PATIENT
    + """\
group main(source src : QR, target patient : Patient) {
  src -> patient.name as name then {
    src.item as section then {
      section.item as asked where (linkId = 'surname') then {
        asked.answer as answer -> name.family = (answer.valueString) "surname";
      } "surname-asked";
      section.item as asked where (linkId = 'forename') then {
        asked.answer as answer -> name.given = (answer.valueString) "forename";
      } "forename-asked";
    } "name-section";
  } "name";
  src.item as section then {
    section.item as asked where (linkId = 'sex') then {
      asked.answer as answer -> patient.gender = (answer.valueString) "sex";
    } "sex-asked";
  } "sex-section";
}
"""
)


def answers(others: int = 0) -> dict[str, Any]:
    """A response that says who somebody is, and answers ``others`` more questions."""
    said = {"surname": "Perrin", "forename": "Aline", "sex": "female"}
    said.update((f"other-{number}", "no") for number in range(others))
    items = [{"linkId": link, "text": link.title(), "answer": [{"valueString": text}]} for link, text in said.items()]
    section = {"linkId": "person", "text": "Person", "item": items}
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": [section]}


def constant_by_hand(_: dict[str, Any]) -> dict[str, Any]:
    """What `CONSTANT_MAP` says."""
    return {"resourceType": "Patient", "gender": "female"}


def sex_by_hand(content: dict[str, Any]) -> dict[str, Any]:
    """What `SEX_MAP` says."""
    patient = {"resourceType": "Patient"}
    for section in content.get("item", ()):
        for question in section.get("item", ()):
            if question.get("linkId") == "sex":
                for answer in question.get("answer", ()):
                    patient["gender"] = answer["valueString"]
    return patient


def name_by_hand(content: dict[str, Any]) -> dict[str, Any]:
    """What `NAME_MAP` says, in one pass."""
    patient: dict[str, Any] = {"resourceType": "Patient"}
    name: dict[str, Any] = {}
    for section in content.get("item", ()):
        for asked in section.get("item", ()):
            link = asked.get("linkId")
            if link == "surname":
                for answer in asked.get("answer", ()):
                    name["family"] = answer["valueString"]
            elif link == "forename":
                name.setdefault("given", []).extend(answer["valueString"] for answer in asked.get("answer", ()))
            elif link == "sex":
                for answer in asked.get("answer", ()):
                    patient["gender"] = answer["valueString"]
    if name:
        patient["name"] = [name]
    return patient


ByHand = Callable[[dict[str, Any]], dict[str, Any]]
BY_HAND: Mapping[str, tuple[str, ByHand, int, float, float]] = {
    "one answer": (SEX_MAP, sex_by_hand, 0, 3.0, 7.0),
    "a name": (NAME_MAP, name_by_hand, 0, 4.0, 7.0),
    "a name among 200": (NAME_MAP, name_by_hand, 200, 3.0, 4.0),
}
"""Map, the same by hand, other questions, and how many times as long as by hand it is to take, and may take."""


def against_hand() -> Iterator[Figure]:
    """Measure and print the maps to Patient."""
    print("questionnaire response to Patient, from dict to dict, against the same by hand")
    for label, (text, by_hand, others, wanted, bound) in BY_HAND.items():
        content, transform = answers(others), compile_map(text, validate=False)
        assert transform(content).resource == by_hand(content), label
        actions: dict[str, Callable[[], object]] = {
            "hand": partial(by_hand, content),
            "map": partial(transform, content),
        }
        taken = fastest(actions, 25, 20_000 // (others + 10))
        print(f"  {label:18} {taken['map']:7.2f} us   by hand {taken['hand']:6.2f} us")
        yield Figure(f"questionnaire, {label}", taken["map"], "us", wanted, bound, taken["hand"], "by hand")
        if label == "a name":
            yield Figure(
                "questionnaire, a name, HAPI", taken["map"], "us", 1 / 15, 1 / 7, 1e6 / _NAMES_AS_TREES, _ELSEWHERE
            )


_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
AS_TEXT: Mapping[str, tuple[str, ByHand, float]] = {
    "a constant": (CONSTANT_MAP, constant_by_hand, 22_000),
    "one answer": (SEX_MAP, sex_by_hand, 19_000),
    "a name": (NAME_MAP, name_by_hand, 14_000),
}
"""Map, the same by hand, and how many the reference engine does in a second, from text to text."""
_NAMES_AS_TREES = 29_000
"""How many names the reference engine does in a second, from tree to tree."""
_ELSEWHERE = "HAPI, warm, on another machine"


def from_text_to_text() -> Iterator[Figure]:
    """Measure and print the maps to Patient from JSON text to JSON text, as a program has it that embeds them."""
    print("the same from JSON text to JSON text, msgspec around both")
    for label, (text, by_hand, reference) in AS_TEXT.items():
        content, transform = _ENCODER.encode(answers()), compile_map(text, validate=False)

        def ours(content: bytes = content, transform: Transformer = transform) -> bytes:
            return _ENCODER.encode(transform(_DECODER.decode(content)).resource)

        def theirs(content: bytes = content, by_hand: ByHand = by_hand) -> bytes:
            return _ENCODER.encode(by_hand(_DECODER.decode(content)))

        assert _DECODER.decode(ours()) == _DECODER.decode(theirs()), label
        taken = fastest({"hand": theirs, "map": ours}, 25, 5_000)
        print(f"  {label:18} {taken['map']:7.2f} us   by hand {taken['hand']:6.2f} us   HAPI {1e6 / reference:6.2f} us")
        job = f"questionnaire as text, {label}"
        yield Figure(job, taken["map"], "us", 1 / 0.6, 2.5, taken["hand"], "by hand")
        yield Figure(f"{job}, HAPI", taken["map"], "us", 1 / 8, 1 / 4, 1e6 / reference, _ELSEWHERE)


def response(items: int) -> dict[str, Any]:
    """A response of ``items`` items, a third of them with an item of their own."""

    def answer(number: int) -> dict[str, Any]:
        if number % 5 == 0:
            return {"valueInteger": number}
        return {"valueString": "last" if number % 1000 == 1 else "AB"[number % 2]}

    def item(number: int) -> dict[str, Any]:
        made: dict[str, Any] = {"linkId": f"i{number}", "text": f"question {number}", "answer": [answer(number)]}
        if number % 3 == 0:
            made["item"] = [{"linkId": f"i{number}.1", "answer": [{"valueString": "inner"}]}]
        return made

    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": [item(n) for n in range(items)]}


def seconds(transform: Callable[[Any], Any], items: int, rounds: int) -> float:
    """Best of some rounds for one response, which is checked first."""
    content = response(items)
    result = transform(content)
    assert not [fault for fault in result.faults if fault.severity == "error"], result.faults[:3]
    entries = result.resource["entry"]
    assert len(entries) == items + items // 1000 + 2, len(entries)
    assert entries[0]["fullUrl"] == "urn:x:first"
    assert entries[-1]["fullUrl"].startswith("urn:x:i")
    assert entries[1]["resource"]["status"] == "final"
    del result, entries
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        transform(content)
        best = min(best, time.process_time() - started)
    return best


def figures(few: int = FEW, many: int = MANY) -> list[Figure]:
    """Measure, print."""
    transform = compile_map(MAP)
    small, large = seconds(transform, few, 3), seconds(transform, many, 1)
    print(f"questionnaire response to Bundle of Observations, validated, {few:,} and {many:,} items")
    print(f"  {few:>7,} items  {small:6.2f} s   {small / few * 1e6:5.1f} us an item")
    print(f"  {many:>7,} items  {large:6.2f} s   {large / many * 1e6:5.1f} us an item")
    times = many / few
    grown = Figure(f"{times:g} times the items of a form", large, "s", times, BOUND_RATIO, small, f"{few:,} items")
    return [grown, *against_hand(), *from_text_to_text()]


if __name__ == "__main__":
    raise SystemExit(code_of(figures()))
