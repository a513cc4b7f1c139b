"""The table of functions that cannot raise, against the functions themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.compiler.runtime_functions import RUN_METHODS, RUNTIME, SAFE_FHIRPATH, call, fp_call, run_call
from fhirmap.runtime import fhirpath as fp
from fhirmap.runtime.trace import TraceRun

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "_a", "resourceType"]), inner),
    max_leaves=6,
)
_TEXTS = st.none() | st.text(max_size=5)
_DICTS = st.dictionaries(st.sampled_from(["a", "_a", "b", "resourceType"]), _VALUES, max_size=3)
_KEYS = st.sampled_from(["a", "b"])
_PARTS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.builds(lambda text: {"b": text}, _TEXTS),
    lambda inner: st.fixed_dictionaries({"a": st.lists(inner, max_size=3), "b": _TEXTS}),
    max_leaves=6,
)
_TYPES = st.sampled_from(["string", "decimal", "date", "Quantity", "Patient"])
_SEARCH = st.just(re.compile("a").search)
_OBJECTS = st.none() | _DICTS
_ORDERS = st.sampled_from(["<", "<=", ">", ">="])
_LIMITS = st.sampled_from(["2025-03-17", "2025-03-17T08:15:00Z", "2025-03"])
_MOMENTS = st.sampled_from(["2025-03-17", "2025-02-30", "2025-03-17T08:15:00+99:00", "2025-03-17T29:15:00Z"])
_ELEMENTS = st.builds(fp.RawElement, _TYPES, _KEYS, st.just(fp.TypeTable()))
_ARGUMENTS: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "Limit": (_ORDERS, _LIMITS),
    "RawElement": (_TYPES, _KEYS, st.just(fp.TypeTable())),
    "RawLookup": (_ELEMENTS, _ELEMENTS, st.frozensets(_KEYS)),
    "alike_items": (
        st.builds(fp.EvaluationContext),
        st.lists(st.builds(lambda text: {"a": text}, _TEXTS), max_size=20),
        st.just(lambda item: (item["a"],)),
        st.tuples(_TEXTS),
    ),
    "alike_texts": (_TEXTS, _TEXTS),
    "all_different": (st.lists(st.text(max_size=1)),),
    "as_list": (_VALUES,),
    "choice": (_DICTS, st.tuples(_KEYS, _KEYS)),
    "different_texts": (st.lists(st.text(max_size=2)), st.lists(st.text(max_size=2))),
    "filled": (st.lists(_VALUES),),
    "first_of": (_TEXTS, _TEXTS, _TEXTS),
    "first_text": (
        st.fixed_dictionaries({}, optional={"a": st.lists(_TEXTS), "_a": st.lists(st.none() | st.just({"id": "i"}))}),
        _KEYS,
    ),
    "first_where": (st.lists(_DICTS), _KEYS, st.text(max_size=3), _KEYS),
    "integer": (st.integers(),),
    "items": (_VALUES,),
    "likeness": (_TEXTS,),
    "long": (st.integers(),),
    "longs": (st.none() | st.integers() | st.lists(st.integers()),),
    "matches_not": (_SEARCH, _TEXTS),
    "matches_plain": (_SEARCH, _TEXTS),
    "node": (_DICTS, _TYPES, st.just(fp.TypeTable())),
    "nodes": (_VALUES, _TYPES),
    "one_object": (_OBJECTS, _KEYS),
    "only_object": (_OBJECTS, _KEYS),
    "only_texts": (_DICTS, _KEYS),
    "part": (_TEXTS, st.integers(), st.none() | st.integers()),
    "primitive": (_DICTS, _KEYS, _TYPES),
    "repeated": (st.lists(_PARTS, max_size=3), st.just("a"), st.sampled_from(["b", "none"])),
    "within_limit": (
        _VALUES | st.builds(lambda text: {"a": text}, _MOMENTS),
        _KEYS,
        st.builds(fp.Limit, _ORDERS, _LIMITS),
    ),
    "values": (st.lists(st.integers() | st.text() | st.decimals() | st.just(fp.Quantity(Decimal(1)))),),
}


def test_each_safe_function_is_tried() -> None:
    assert set(_ARGUMENTS) == SAFE_FHIRPATH


@pytest.mark.parametrize("name", sorted(SAFE_FHIRPATH))
def test_safe_functions_do_not_raise(name: str) -> None:
    function: Callable[..., Any] = getattr(fp, name)

    @given(st.tuples(*_ARGUMENTS[name]))
    def call(arguments: tuple[Any, ...]) -> None:
        function(*arguments)

    call()
    assert not fp_call(name).may_raise


@pytest.mark.parametrize("name", ["only", "value", "multiply", "is_true", "apply", "number_text", "anything_new"])
def test_other_functions_may_raise(name: str) -> None:
    assert fp_call(name).may_raise


@pytest.mark.parametrize("name", sorted(RUNTIME))
def test_what_generated_code_may_import_is_there(name: str) -> None:
    held = getattr(import_module(RUNTIME[name].module), name)
    assert callable(held) or isinstance(held, frozenset)


@pytest.mark.parametrize("name", sorted(RUN_METHODS))
def test_what_generated_code_asks_of_a_run_is_there(name: str) -> None:
    assert callable(getattr(TraceRun, name))


def test_calls_know_whether_they_can_raise() -> None:
    assert call("cast").may_raise
    assert not call("copied").may_raise
    assert run_call("search").may_raise
    assert not run_call("fail").may_raise
