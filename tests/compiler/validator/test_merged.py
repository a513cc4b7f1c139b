"""One element as several structures see it together."""

from __future__ import annotations

import pytest

from fhirmap.compiler.validator.merged import MergedElement, constraints_below
from fhirmap.model.definition import Binding, Constraint, Element, Slice, Slicing, TypeRef
from tests.compiler.validator.contracts import RULES, definitions

STRING, CODE, DATE = TypeRef("string"), TypeRef("code"), TypeRef("date")
BASE = Element("value", "P.value", (STRING, CODE, DATE), maximum=None, is_choice=True)


def element(**given: object) -> Element:
    return Element(**{"name": "value", "path": "P.value", "types": (STRING, CODE), **given})  # type: ignore[arg-type]


def test_the_strictest_of_all() -> None:
    merged = MergedElement(BASE, (element(minimum=1, maximum=None), element(maximum=3, types=(CODE, DATE))))
    assert (merged.minimum, merged.maximum, merged.types) == (1, 3, ("code",))


def test_no_view_limits_how_often() -> None:
    assert MergedElement(BASE, (element(maximum=None),)).maximum is None


@pytest.mark.parametrize("name", ["fixed", "pattern"])
def test_the_first_value_that_is_given(name: str) -> None:
    assert getattr(MergedElement(BASE, (element(), element(**{name: "x"}))), name) == "x"
    assert getattr(MergedElement(BASE, (element(),)), name) is None


def test_rules_and_required_bindings_of_all_views_once() -> None:
    rule = Constraint("k", "error", "true")
    views = (
        element(constraints=(rule,), binding=Binding("required", "urn:a")),
        element(constraints=(rule, Constraint("l", "error", "true")), binding=Binding("extensible", "urn:b")),
        element(binding=Binding("required", "urn:a")),
    )
    merged = MergedElement(BASE, views)
    assert [entry.key for entry in merged.constraints] == ["k", "l"]
    assert merged.value_sets == ("urn:a",)


def test_slices_with_and_without_a_value_that_identifies_them() -> None:
    known = Slice("a", element(minimum=1), (("name", "a"),))
    same = Slice("a", element(minimum=2), (("name", "a"),))
    unknown = Slice("b", element(), ())
    merged = MergedElement(BASE, (element(slices=(known, unknown)), element(slices=(same,))))
    ((name, values, held),) = merged.slices()
    assert (name, values, held.minimum) == ("a", (("name", "a"),), 2)
    assert merged.slices_without_discriminator() == ["b"]


def test_closed_where_one_view_closes_it() -> None:
    views = (element(slicing=Slicing((), "open")), element(slicing=Slicing((), "closed")))
    assert MergedElement(BASE, views).is_closed
    assert not MergedElement(BASE, views[:1]).is_closed


def test_every_rule_below_is_found_once() -> None:
    known = definitions("renacot")
    root = known.structure(RULES)
    assert root is not None
    keys = [entry.key for entry in constraints_below(known, [root.root], set())]
    assert {"nir-regex", "nir-key", "pe-requires-type"} <= set(keys)
