"""Names that are bound anew."""

from __future__ import annotations

from fhirmap.compiler.names import Names
from fhirmap.compiler.one_pass.rebinding import Rebinding
from fhirmap.compiler.printing import block_lines
from fhirmap.compiler.python import (
    Assign,
    Comprehension,
    Container,
    Do,
    For,
    ForClause,
    Get,
    If,
    Lambda,
    Literal,
    Name,
    Statement,
    Try,
    builtin,
    is_none,
)

P, V = Name("p"), Name("v")


def rebinding(*block: Statement) -> tuple[str, dict[str, str]]:
    """The statements under their new names, and which names these take the place of."""
    found = Rebinding(Names(["p", "v", "src"]), {"v": "v"})
    changed, _ = found.block(block, {})
    text = "\n".join(line.text for line in block_lines(changed, 0))
    return text, {new: old.text for new, old in found.original.items()}


def bound(name: Name, key: str) -> Assign:
    return Assign(None, (name,), Get(Name("src"), key))


def shown(name: Name) -> Do:
    return Do(None, builtin("print", name))


def test_a_block_that_binds_a_name_again_means_another_one() -> None:
    text, original = rebinding(bound(V, "a"), shown(V), bound(V, "b"), shown(V), bound(V, "c"))
    assert text == "v = src.get('a')\nprint(v)\nv_2 = src.get('b')\nprint(v_2)\nv_3 = src.get('c')"
    assert original == {"v_2": "v", "v_3": "v"}


def test_a_block_inside_may_change_what_is_bound_around_it() -> None:
    default = If(None, is_none(V), (Assign(None, (V,), Literal(1)), Assign(None, (V,), Literal(2))))
    text, original = rebinding(bound(V, "a"), default, shown(V))
    assert text == "v = src.get('a')\nif v is None:\n    v = 1\n    v = 2\nprint(v)"
    assert original == {}


def test_what_a_block_is_the_first_to_bind_is_known_after_it() -> None:
    text, _ = rebinding(If(None, P, (bound(V, "a"), bound(V, "b"))), shown(V))
    assert text.endswith("v_2 = src.get('b')\nprint(v_2)")
    text, _ = rebinding(Try(None, (bound(V, "a"),), P, None, ()), shown(V))
    assert text.endswith("print(v)")


def test_each_loop_has_its_own() -> None:
    text, _ = rebinding(bound(P, "one"), For(None, (P,), Get(Name("src"), "all"), (shown(P),)))
    assert text == "p = src.get('one')\nfor p_2 in src.get('all'):\n    print(p_2)"


def test_what_an_expression_binds_hides_the_name_around_it() -> None:
    each = Comprehension(Container.LIST, P, (ForClause((P,), P),))
    text, _ = rebinding(bound(P, "a"), bound(P, "b"), Do(None, builtin("print", each, Lambda((P,), P), P)))
    assert text.endswith("print([p for p in p_2], lambda p: p, p_2)")
