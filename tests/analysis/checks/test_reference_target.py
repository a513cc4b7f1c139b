"""`reference_target`: references whose type the map says."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.reference_target import reference_target
from tests.analysis.checks.harness import reported

MAP = """uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Target as target
group main(source src : Patient, target tgt : Target) {
  RULE
}
group refer(source src : Patient, target ref : Reference) { src -> ref.reference = 'Device/1'; }
"""


@pytest.mark.parametrize(
    ("rule", "marked"),
    [
        ("src -> tgt.managingOrganization = 'Device/1';", "'Device/1'"),
        ("src -> tgt.managingOrganization = 'https://a.example/fhir/Device/1';", "'https://a.example/fhir/Device/1'"),
        ("src -> tgt.managingOrganization as m, m.reference = 'Device/1';", "'Device/1'"),
        ("src -> tgt.managingOrganization.reference = 'Device/1';", "'Device/1'"),
        ("src -> tgt.managingOrganization as m, m.type = 'Device';", "'Device'"),
        ("src.id as i -> tgt.managingOrganization = ('Device/' & %i);", "('Device/' & %i)"),
        ("src.id as i -> tgt.managingOrganization = append('Device/', i);", "append('Device/', i)"),
        ("src.id as i -> tgt.managingOrganization = append('http://a/Device/', i);", "append('http://a/Device/', i)"),
        ("src -> tgt.contained = create('Device') as d, tgt.managingOrganization = reference(d);", "reference(d)"),
        ("src -> tgt.contained = create('Device') as d, tgt.managingOrganization = pointer(d);", "pointer(d)"),
        ("src -> tgt.managingOrganization as m then refer(src, m);", "'Device/1'"),
        ("src -> tgt.link as l, l.other = 'Device/1';", "'Device/1'"),
    ],
)
def test_a_type_that_the_element_does_not_take(rule: str, marked: str) -> None:
    assert reported(reference_target, MAP.replace("RULE", rule)) == [f"FM271: {marked}"]


@pytest.mark.parametrize(
    "rule",
    [
        "src -> tgt.managingOrganization = 'Organization/1';",
        "src -> tgt.managingOrganization = 'urn:uuid:c757873d-ec9a-4326-a141-556f43239520';",
        "src -> tgt.managingOrganization = 'Unknown/1';",
        "src.id as i -> tgt.managingOrganization = (%i & 'Device/');",
        "src.managingOrganization as m -> tgt.managingOrganization = m;",
        "src -> tgt.contained = create('Organization') as d, tgt.managingOrganization = reference(d);",
        "src -> tgt.extension as e, e.value = create('Reference') as r, r.reference = 'Device/1';",
        "src -> tgt.link as l, l.other = 'RelatedPerson/1', l.type = 'seealso';",
    ],
)
def test_what_it_takes_and_what_is_not_known(rule: str) -> None:
    assert reported(reference_target, MAP.replace("RULE", rule)) == []
