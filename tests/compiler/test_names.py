"""Names of a map become identifiers that Python, the module and each other leave free."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fhirmap.compiler.names import Names, snake_case


def test_names_are_numbered_where_they_are_taken() -> None:
    names = Names(("run",))
    words = ("run", "a b", "__x__", "9", "list", "class", "match", "", "run")
    assert [str(names.take(word)) for word in words] == [
        "run_2", "a_b", "x__", "n_9", "list_", "class_", "match_", "value", "run_3",
    ]  # fmt: skip


@given(st.lists(st.text(max_size=6), max_size=8))
def test_no_name_is_given_twice_and_none_begins_with_an_underscore(words: list[str]) -> None:
    names = Names()
    found = [str(names.take(word)) for word in words]
    assert len(set(found)) == len(found)
    assert not any(name.startswith("_") for name in found)


def test_what_a_scope_took_is_free_after_it() -> None:
    names = Names()
    mark = names.mark()
    assert str(names.take("x")) == "x"
    assert str(names.inner().take("x")) == "x_2"
    names.release(mark)
    assert str(names.take("x")) == "x"


def test_our_own_names_are_spelt_with_underscores() -> None:
    assert [snake_case(word) for word in ("PoseDMI", "DMIPose", "côté droit", "")] == [
        "pose_dmi", "dmi_pose", "c_t_droit", "model",
    ]  # fmt: skip
