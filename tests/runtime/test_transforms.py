"""FML's transforms: the examples of their docstrings, and the edges that they do not show."""

from __future__ import annotations

import doctest
from copy import deepcopy
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.compilation.mapset import MapSet
from fhirmap.errors import TransformFailed
from fhirmap.runtime.context import Inputs, RecordRun
from fhirmap.runtime.transforms import coding, dates, quantity, references, text
from fhirmap.runtime.transforms.coding import CodeTable
from fhirmap.runtime.transforms.dates import parser
from fhirmap.texts import language_of
from tests.compiler.generated import compiled

CANARY = "CANARY-284051012345678"


@pytest.mark.parametrize("name", ["text", "dates", "coding", "references", "quantity"])
def test_examples(name: str) -> None:
    failed, tried = doctest.testmod(import_module(f"fhirmap.runtime.transforms.{name}"))
    assert tried
    assert not failed


@pytest.mark.parametrize(
    ("value", "type_name", "expected"),
    [
        ("1", "boolean", True),
        (False, "string", "false"),
        (Decimal("1.50"), "string", "1.50"),
        ("1.50", "decimal", Decimal("1.50")),
        ("2025-03", "dateTime", "2025-03"),
        ("2025-03-20T10:00:00.120+02:00", "dateTime", "2025-03-20T10:00:00.120+02:00"),
        ("2025-03-20T10:00:00Z", "date", "2025-03-20"),
        ("urn:oid:1.2.3", "oid", "urn:oid:1.2.3"),
        (5, "decimal", Decimal(5)),
        ("<div>a&nbsp;b<br></div>", "xhtml", '<div xmlns="http://www.w3.org/1999/xhtml">a\xa0b<br/></div>'),
    ],
)
def test_cast(value: Any, type_name: str, expected: Any) -> None:
    assert text.cast(value, type_name) == expected
    assert str(text.cast(value, type_name)) == str(expected)


@pytest.mark.parametrize(
    ("value", "type_name"),
    [(CANARY, "integer"), ("-1", "unsignedInt"), ("yes", "boolean"), ("2025-02-30", "date"), ("a b", "uri"),
     ({}, "string"),
     (f"<div>{CANARY}", "xhtml"), (f"<div><p>{CANARY}</div>", "xhtml"), ("a", "xhtml"), ("<p>a</p>", "xhtml"),
     ("<div>&foo;</div>", "xhtml"), ("<div><script>1</script></div>", "xhtml"),
     ("<div onclick='x'>a</div>", "xhtml"), ("<div></div><div></div>", "xhtml"), ("<div/>a", "xhtml"),
     ("x" * 65, "id"), ("1e400000000000000000000", "decimal")],
)  # fmt: skip
def test_cast_fails_without_a_word_of_the_value(value: Any, type_name: str) -> None:
    with pytest.raises(TransformFailed) as caught:
        text.cast(value, type_name)
    assert caught.value.code == "FM404"
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("length", [-1, "3", 1.5, True])
def test_truncate_needs_a_whole_number(length: Any) -> None:
    with pytest.raises(TransformFailed):
        text.truncate("abc", length)


def test_escape_knows_its_formats_alone() -> None:
    assert text.escape('a "b" é', "plain", "json") == 'a \\"b\\" é'
    assert text.escape("\\u00e9", "json", "plain") == "é"
    with pytest.raises(TransformFailed):
        text.escape("x", "plain", "rtf")


SIDES = CodeTable(
    "sides", {"D": (("urn:s", "urn:t", "R", "right"),), "G": (("urn:s", "urn:t", "L", ""), ("urn:s", "urn:t", "S", ""))}
)


@pytest.mark.parametrize(
    ("value", "output", "expected"),
    [
        ("D", "code", "R"),
        ("D", "system", "urn:t"),
        ("D", "display", "right"),
        ({"system": "urn:s", "code": "D"}, "Coding", {"system": "urn:t", "code": "R", "display": "right"}),
        ({"system": "urn:other", "code": "D"}, "code", None),
        ({"coding": [{"code": "X"}, {"code": "D"}]}, "code", "R"),
        ({"text": "right"}, "code", None),
        ("X", "code", None),
        (None, "code", None),
    ],
)
def test_translate(value: Any, output: str, expected: Any) -> None:
    assert coding.translate(value, SIDES, output) == expected


def test_translate_never_chooses() -> None:
    with pytest.raises(TransformFailed) as caught:
        coding.translate("G", SIDES)
    assert caught.value.code == "FM406"


@pytest.mark.parametrize(("mode", "expected"), [("provided", CANARY), ("fixed", "OTHER")])
def test_a_code_that_is_not_in_the_table(mode: str, expected: str) -> None:
    table = CodeTable("t", {}, (("urn:s", mode, "urn:t", "OTHER"),))
    assert coding.translate(CANARY, table) == expected


def test_a_code_that_must_be_in_the_table() -> None:
    with pytest.raises(TransformFailed) as caught:
        coding.translate(CANARY, CodeTable("t", {}, (("urn:s", "error", "", ""),)))
    assert caught.value.code == "FM405"
    assert CANARY not in str(caught.value)


def test_references_give_an_id_once() -> None:
    run, resource = RecordRun(), {"resourceType": "Patient"}
    first = references.reference(resource, run, "m.map:1:1")
    assert first == references.reference(resource, run, "m.map:2:1") == f"Patient/{resource['id']}"
    assert references.pointer(resource, run, "m.map:3:1") == f"urn:uuid:{resource['id']}"
    assert not run.result(resource, {}).faults
    with pytest.raises(TransformFailed):
        references.reference({"family": "x"}, run, "m.map:1:1")


@pytest.mark.parametrize("name", ["reference", "pointer"])
@pytest.mark.parametrize("given", ["", ", o.id = 'first'"])
def test_an_id_written_after_something_refers_to_it_is_a_fault(name: str, given: str) -> None:
    made = f"tgt.contained = create('Organization') as o{given}"
    rule = f"  src -> {made}, tgt.managingOrganization = {name}(o), o.id = 'x';"
    faults = compiled(rule)({}).faults
    assert [(fault.code, fault.variant, fault.args["type"]) for fault in faults] == (
        [] if given else [("FM415", "referred", "Organization")]
    )


REFERRING = """
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Organization" alias Organization as source
uses "http://hl7.org/fhir/StructureDefinition/Encounter" alias Encounter as target
group main({sources}target tgt : Encounter) {{
  src -> tgt.subject as s, s.reference = reference(src), s.display = pointer(src) "record";
  src.contained as c -> tgt.participant as p, p.individual as i, i.reference = pointer(c), i.display = pointer(c) "in";
  src.contained first as c -> tgt.contained = c as own, tgt.serviceProvider = reference(own) "copied";
}}
"""
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "contained": [{"resourceType": "Organization", "name": "A"}, {"resourceType": "Organization", "name": "A"}],
}


@pytest.mark.parametrize("is_shared", [False, True])
@pytest.mark.parametrize("is_one_of_several", [False, True])
def test_a_resource_of_the_record_is_referred_to_and_not_changed(
    tmp_path: Path, is_shared: bool, is_one_of_several: bool
) -> None:
    sources = "source src : Patient, " + "source other : Organization, " * is_one_of_several
    file = tmp_path / "case.map"
    file.write_text(REFERRING.format(sources=sources), encoding="utf-8")
    alone = compile_map(file.read_text(encoding="utf-8"), validate=False)
    transformer = MapSet([]).runnable(file).transformer if is_shared else alone
    given = deepcopy(PATIENT)
    record = Inputs(src=given, other={"resourceType": "Organization"}) if is_one_of_several else given
    before = deepcopy(record)
    first, again = (transformer(record).resource for _ in range(2))
    assert record == before
    assert first is not None
    assert again is not None
    subject, participants = first["subject"], first["participant"]
    made = subject["reference"].removeprefix("Patient/")
    assert subject == {"reference": f"Patient/{made}", "display": f"urn:uuid:{made}"}
    assert again["subject"] != subject, "one of each run"
    pointed = [entry["individual"] for entry in participants]
    assert all(entry["reference"] == entry["display"] for entry in pointed)
    assert len({entry["reference"] for entry in pointed} | {subject["display"]}) == 3, "alike, and not the same"
    (copy,) = first["contained"]
    assert first["serviceProvider"] == {"reference": f"Organization/{copy['id']}"}


def test_an_id_written_before_is_what_a_reference_means() -> None:
    rule = "  src -> tgt.contained = create('Organization') as o, o.id = 'x', tgt.managingOrganization = reference(o);"
    found = compiled(rule)({})
    assert found.resource is not None
    assert found.resource["managingOrganization"] == {"reference": "Organization/x"}


@pytest.mark.parametrize(
    ("value", "system"),
    [
        ("a@b.example", "email"),
        ("https://x.example/@me", "url"),
        ("tel:12", "phone"),
        ("+33 (0)1-23.45", "phone"),
        ("skype", "other"),
    ],
)
def test_contact_points_are_recognised_by_their_value(value: str, system: str) -> None:
    found = references.contact_point(value)
    assert found is not None
    assert found["system"] == system


@pytest.mark.parametrize("value", ["tel:", "mailto:"])
def test_a_scheme_alone_is_no_contact_point(value: str) -> None:
    assert references.contact_point(value) is None


def test_quantities_keep_their_digits() -> None:
    assert quantity.quantity("5.10mg") == {"value": Decimal("5.10"), "unit": "mg"}
    assert str(quantity.quantity("5.10")["value"]) == "5.10"  # type: ignore[index]
    with pytest.raises(TransformFailed):
        quantity.quantity(CANARY)


@pytest.mark.parametrize(("code", "words"), [("en", "a resource"), ("fr", "une ressource")])
def test_what_a_reference_needs_is_in_the_language_of_the_reader(code: str, words: str) -> None:
    with language_of(code), pytest.raises(TransformFailed, match=words):
        references.reference("Patient/1", RecordRun(), "")


@pytest.mark.parametrize(
    ("text", "format_text", "day"),
    [
        ("1er mars 2025", "d MMMM yyyy", "2025-03-01"),
        ("1ER MARS 2025", "dd MMMM yyyy", None),
        ("March 3rd, 2025", "MMMM d, yyyy", "2025-03-03"),
        ("15  mars\u00a02025", "d MMMM yyyy", "2025-03-15"),
        ("15mars2025", "d MMMM yyyy", None),
        ("1er/03/2025", "d/MM/yyyy", None),
    ],
)
def test_days_and_blanks_as_people_write_them(text: str, format_text: str, day: str | None) -> None:
    assert parser(format_text, "date", None)(text) == day


@pytest.mark.parametrize("text", ["2025-07-01 10:00+01", "2025-07-01 10:00 +0100", "2025-07-01 10:00\u00a0+01:00"])
@pytest.mark.parametrize("format_text", ["yyyy-MM-dd HH:mmZ", "yyyy-MM-dd HH:mm Z"])
def test_a_blank_before_an_offset_is_none(text: str, format_text: str) -> None:
    assert parser(format_text, "dateTime", None)(text) == "2025-07-01T10:00:00+01:00"


@pytest.mark.parametrize(
    ("kind", "zone", "text", "expected"),
    [
        ("dateTime", "Europe/Paris", "2025-07-14 00:30:00", "2025-07-14T00:30:00+02:00"),
        ("dateTime", "Europe/Paris", "2025-07-14t00:30:00", "2025-07-14T00:30:00+02:00"),
        ("dateTime", "Z", "2025-07-14T00:30:00", "2025-07-14T00:30:00Z"),
        ("dateTime", "Europe/Paris", "1880-05-05T10:00:00", "1880-05-05T10:00:00+00:09"),
        ("dateTime", "Europe/Paris", "0101-05-05 10:00:00", "0101-05-05T10:00:00+00:09"),
        ("date", "Europe/Paris", "2025-07-14 23:30:00", "2025-07-14"),
        ("date", "Europe/Paris", "2025-03-30 02:30:00", "2025-03-30"),
        ("dateTime", "Europe/Paris", "2025-07-14 00:30+02", "2025-07-14T00:30:00+02:00"),
        ("dateTime", "Europe/Paris", "2025-02-30 00:30:00", None),
        ("dateTime", "Europe/Paris", "2025-07-14 00:60:00", None),
        ("dateTime", "Europe/Paris", "2025-W29-1T00:30:00", None),
        ("dateTime", "Europe/Paris", "2025-07-14 00:30:0\u0663", None),
        ("date", "Europe/Paris", "2025-07-14 00:30:61", None),
    ],
)
def test_local_times_of_a_database(kind: str, zone: str, text: str, expected: str | None) -> None:
    assert parser(None, kind, zone)(text) == expected


@pytest.mark.parametrize(
    ("form", "kind", "zone", "text", "expected"),
    [
        ("unix", "date", "Europe/Paris", "1752445800", "2025-07-14"),
        ("unix", "date", "Z", "1752445800", "2025-07-13"),
        ("unix", "dateTime", "Europe/Paris", "1752445800", "2025-07-14T00:30:00+02:00"),
        ("unix", "time", "Europe/Paris", "1752445800", "00:30:00"),
        ("unix", "instant", None, "1752445800", "2025-07-13T22:30:00Z"),
        ("unix-ms", "date", "Europe/Paris", "1752445800000", "2025-07-14"),
        ("unix-ms", "dateTime", "Europe/Paris", "1752445800250", "2025-07-14T00:30:00.250+02:00"),
        ("unix", "dateTime", "Europe/Paris", "-1", "1970-01-01T00:59:59+01:00"),
        ("unix", "date", "Europe/Paris", "99999999999999999", None),
        ("unix", "date", "Europe/Paris", "14/07/2025", None),
        ("unix", "date", "Europe/Paris", "", None),
    ],
)
def test_unix_times(form: str, kind: str, zone: str | None, text: str, expected: str | None) -> None:
    assert parser(form, kind, zone)(text) == expected


PARIS = "Europe/Paris"


@pytest.mark.parametrize(
    ("kind", "zone", "text", "expected"),
    [
        ("date", None, "2025", "2025"),
        ("date", None, "202503", "2025-03"),
        ("date", None, "20250317", "2025-03-17"),
        ("date", None, "202503172340", "2025-03-17"),
        ("date", PARIS, "20250317234000+0000", "2025-03-18"),
        ("date", None, "20250317+0100", "2025-03-17"),
        ("date", None, "20250230", None),
        ("date", None, "2025031", None),
        ("date", None, "2025-03-17", None),
        ("date", None, "202513", None),
        ("date", None, "00000000", None),
        ("dateTime", PARIS, "2025", "2025"),
        ("dateTime", PARIS, "202503", "2025-03"),
        ("dateTime", PARIS, "20250317", "2025-03-17"),
        ("dateTime", PARIS, "2025031708", "2025-03-17T08:00:00+01:00"),
        ("dateTime", PARIS, "202503170815", "2025-03-17T08:15:00+01:00"),
        ("dateTime", PARIS, "20250317081530.1234", "2025-03-17T08:15:30.1234+01:00"),
        ("dateTime", None, "20250317081500+0100", "2025-03-17T08:15:00+01:00"),
        ("dateTime", PARIS, "20250317081500-0500", "2025-03-17T14:15:00+01:00"),
        ("dateTime", PARIS, "202503172460", None),
        ("dateTime", PARIS, "20250317081530.", None),
        ("dateTime", PARIS, "20250317081530+01", None),
        ("dateTime", PARIS, "20250317081530+9900", None),
        ("instant", PARIS, "20250317081530", "2025-03-17T08:15:30+01:00"),
        ("instant", PARIS, "202503170815", None),
        ("instant", PARIS, "20250317", None),
        ("time", None, "0815", "08:15:00"),
        ("time", None, "081530.5", "08:15:30.5"),
        ("time", None, "20250317081530", "08:15:30"),
        ("time", PARIS, "0815+0100", "08:15:00"),
        ("time", None, "08", None),
        ("time", None, "2560", None),
        ("time", None, "20250317", None),
    ],
)
def test_times_of_hl7(kind: str, zone: str | None, text: str, expected: str | None) -> None:
    assert parser("hl7", kind, zone)(text) == expected


@pytest.mark.parametrize(
    ("kind", "zone", "text", "error"),
    [
        ("dateTime", None, "202503170815", dates.ZoneNeeded),
        ("date", None, "202503170815+0100", dates.ZoneNeeded),
        ("time", None, "0815+0100", dates.ZoneNeeded),
        ("dateTime", PARIS, "202503300230", dates.SkippedTime),
        ("dateTime", PARIS, "202510260230", dates.RepeatedTime),
    ],
)
def test_times_of_hl7_that_depend_on_a_zone(kind: str, zone: str | None, text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parser("hl7", kind, zone)(text)
