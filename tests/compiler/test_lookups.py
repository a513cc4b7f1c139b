"""Which sources look for items by a text of theirs."""

from __future__ import annotations

import pytest

from fhirmap.compilation.program import check_maps
from fhirmap.compiler.lookups import lookup_of, lookups

FHIR = "http://hl7.org/fhir/StructureDefinition"
MAP = f"""\
/// url = 'http://x.example/StructureMap/m'
uses "{FHIR}/QuestionnaireResponse" alias QR as source
uses "{FHIR}/Patient" alias Patient as target
group main(source src : QR, target tgt : Patient) {{
  src.item as page then {{
    RULES
  }} "page";
}}
"""


def found(rules: str) -> tuple[list[tuple[str, str, str]], list[list[str]]]:
    """(list, element, text) of each look-up; the texts that several look for."""
    checked = check_maps(MAP.replace("RULES", rules)).checked
    sources = [source for group in checked.groups for rule in group.walk() for source in rule.sources]
    each = [lookup_of(source, checked.definitions) for source in sources]
    shared = lookups(checked.groups, checked.definitions)
    return [(entry.key.name, entry.key.key, entry.text) for entry in each if entry], [
        sorted(held) for held in shared.values()
    ]


@pytest.mark.parametrize(
    "where", ["linkId = 'a'", "'a' = linkId", "$this.linkId = 'a'", "%q.linkId = 'a'", "q.linkId = 'a'"]
)
def test_a_text_of_the_item_itself(where: str) -> None:
    rule = f"page.item as q where ({where}) -> tgt.active = true 'r';".replace("'r'", '"r"')
    assert found(rule) == ([("item", "linkId", "a")], [])


@pytest.mark.parametrize(
    "where",
    [
        "linkId != 'a'",
        "linkId = text",
        "page.linkId = 'a'",
        "linkId = 'a' or text = 'b'",
        "answer.count() = 1",
        "linkId.exists()",
    ],
)
def test_anything_else_is_none(where: str) -> None:
    assert found(f'page.item as q where ({where}) -> tgt.active = true "r";') == ([], [])


def test_several_that_look_in_one_list() -> None:
    rules = "\n".join(
        f"page.item as q where ({key} = '{text}') -> tgt.active = true \"{key}-{text}\";"
        for key, text in (("linkId", "b"), ("linkId", "a"), ("text", "c"))
    )
    assert found(rules) == ([("item", "linkId", "b"), ("item", "linkId", "a"), ("item", "text", "c")], [["a", "b"]])
