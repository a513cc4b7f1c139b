"""Concept maps become a dict where each code has one target, else a table with what becomes of the others."""

from __future__ import annotations

from fhirmap.compiler.code_tables import CodeTables
from fhirmap.compiler.python import Expr, Name
from fhirmap.model.definition import ConceptMap, ConceptMapGroup, ConceptMapTarget, Definitions


def concept_map(name: str, codes: dict[str, tuple[str, ...]], unmapped: tuple[str, str] | None = None) -> ConceptMap:
    elements = {code: tuple(map(ConceptMapTarget, targets)) for code, targets in codes.items()}
    return ConceptMap(f"#{name}", name, (ConceptMapGroup("urn:s", "urn:t", elements, unmapped),))


class Written(list[str]):
    """Constants as they are asked for."""

    def add(self, hint: str, value: Expr, comment: str) -> Name:
        self.append(f"{hint} = {value}  # {comment}")
        return Name(f"_{hint}")


def tables(written: Written, *known: ConceptMap) -> CodeTables:
    definitions = Definitions()
    definitions.add(*known)
    return CodeTables(definitions, written.add)


def test_one_target_for_each_code_is_a_dict() -> None:
    written = Written()
    held = tables(written)
    side = concept_map("side", {"G": ("left",), "D": ("right",)})
    assert held.simple(side) == held.simple(side) == Name("_side")
    assert written == ["side = {\n    'G': 'left',\n    'D': 'right',\n}  # Concept map side."]


def test_what_is_not_so_plain_is_not() -> None:
    held = tables(Written())
    assert held.simple(concept_map("two", {"G": ("left", "l")})) is None
    assert held.simple(concept_map("none", {"G": ()})) is None
    assert held.simple(concept_map("error", {"G": ("left",)}, ("error", ""))) is None


def test_a_table_holds_targets_and_policies() -> None:
    written = Written()
    held = tables(written)
    assert held.table(concept_map("side", {"G": ("left",)}, ("fixed", "urn:u|other"))) == Name("_codes_side")
    assert written == [
        "codes_side = CodeTable('side', {\n    'G': (('urn:s', 'urn:t', 'left', ''),),\n}, "
        "(('urn:s', 'fixed', 'urn:u', 'other'),))  # Concept map side."
    ]


def test_two_maps_that_send_each_other_what_they_do_not_know() -> None:
    one = concept_map("one", {"G": ("left",)}, ("other-map", "#two"))
    two = concept_map("two", {"D": ("right",)}, ("other-map", "#one"))
    written = Written()
    assert tables(written, one, two).table(one) == Name("_codes_one")
    assert [line.partition(" ")[0] for line in written] == ["codes_two", "codes_one"]
    assert "{'#two': _codes_two}" in written[1]
