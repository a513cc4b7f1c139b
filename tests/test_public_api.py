"""What a documented function takes, returns or raises can be imported from `fhirmap` or `fhirmap.extending`."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import FunctionType, UnionType

import pytest

import fhirmap
from fhirmap import extending

ROOT = Path(__file__).resolve().parent.parent
PUBLIC_MODULES = (fhirmap, extending)
PUBLIC = {(module, name) for module in PUBLIC_MODULES for name in module.__all__}

WHOLE = {"Map", "Definitions", "Project", "Structure", "Operation", "CheckedMaps", "Runnable"}
"""Handed from one function to another as they are: their own parts are not for programs outside."""


def public_objects() -> dict[int, str]:
    return {id(getattr(module, name)): name for module, name in PUBLIC}


def classes_in(hint: object) -> Iterator[type]:
    """The classes that an annotation names, inside unions and generics too."""
    if typing.get_origin(hint) is None and isinstance(hint, type):
        yield hint
    elif isinstance(hint, UnionType) or typing.get_origin(hint) is not None:
        if isinstance(origin := typing.get_origin(hint), type):
            yield origin
        for part in typing.get_args(hint):
            for entry in part if isinstance(part, list) else [part]:
                yield from classes_in(entry)


def functions_of(name: str, found: object) -> Iterator[tuple[str, object]]:
    """A function itself; of a class its constructor, public methods and properties."""
    if isinstance(found, FunctionType):
        yield name, found
    if isinstance(found, type) and name not in WHOLE:
        for key, member in vars(found).items():
            if isinstance(member, property):
                member = member.fget
            if isinstance(member, FunctionType) and (not key.startswith("_") or key in ("__init__", "__call__")):
                yield f"{name}.{key}", member


def hints_of(function: object) -> dict[str, object]:
    module = inspect.getmodule(function)
    names = {**vars(typing), **{name: getattr(fhirmap, name) for name in fhirmap.__all__}, **vars(module)}
    return typing.get_type_hints(function, globalns=names)


def ours(found: type) -> bool:
    return found.__module__.partition(".")[0] == "fhirmap"


CASES = sorted((f"{module.__name__}.{name}" for module, name in PUBLIC))


@pytest.mark.parametrize("where", CASES)
def test_annotations_name_public_classes(where: str) -> None:
    module, _, name = where.rpartition(".")
    found = getattr({entry.__name__: entry for entry in PUBLIC_MODULES}[module], name)
    known = public_objects()
    hints = [(place, hint) for place, member in functions_of(name, found) for hint in hints_of(member).values()]
    if is_dataclass(found) and name not in WHOLE:
        hints += [(f"{name}.{entry.name}", typing.get_type_hints(found)[entry.name]) for entry in fields(found)]
    named = ((place, cls) for place, hint in hints for cls in classes_in(hint))
    assert {(place, cls.__qualname__) for place, cls in named if ours(cls) and id(cls) not in known} == set()


@pytest.mark.parametrize("where", CASES)
def test_docstrings_name_public_things(where: str) -> None:
    """`Raises:` names exceptions that can be caught, backticks name what can be found."""
    module, _, name = where.rpartition(".")
    found = getattr({entry.__name__: entry for entry in PUBLIC_MODULES}[module], name)
    docs = [inspect.getdoc(found) or "", *(inspect.getdoc(member) or "" for _, member in functions_of(name, found))]
    public = {entry for _, entry in PUBLIC} | set(dir(builtins))
    for doc in docs:
        for raised in re.findall(r"Raises:(.*?)(?:\n\n|\Z)", doc, re.DOTALL):
            assert set(re.findall(r"\b[A-Z][A-Za-z]+Error\b|\b[A-Z]\w+Failed\b", raised)) <= public, doc
        for dotted in re.findall(r"`(fhirmap(?:\.\w+)+)`", doc):
            assert resolves(dotted), f"{where}: {dotted}"
            assert not is_private(dotted), f"{where}: {dotted}"


def test_documentation_imports_public_names() -> None:
    private = []
    pages = [page for page in sorted((ROOT / "docs").rglob("*.md")) if "generated" not in page.parts]
    for page in [ROOT / "README.md", *pages]:
        for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for name in imports_of(inspect.cleandoc(block)):
                if not resolves(name):
                    private.append(f"{page.relative_to(ROOT)}: {name}")
                elif is_private(name):
                    private.append(f"{page.relative_to(ROOT)}: {name} is private")
    assert private == []


def imports_of(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "fhirmap":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == "fhirmap")


def resolves(dotted: str) -> bool:
    if dotted.startswith("fhirmap.spark."):  # whether pyspark is installed or not
        exported = (ROOT / "fhirmap" / "spark" / "__init__.py").read_text(encoding="utf-8").partition("__all__ =")[2]
        return dotted.removeprefix("fhirmap.spark.") in ast.literal_eval(exported.strip())
    found: object = fhirmap
    for part in dotted.split(".")[1:]:
        try:
            found = getattr(found, part)
        except AttributeError:
            return False
    return True


def is_private(dotted: str) -> bool:
    """Is it neither of `fhirmap` nor of its public packages?"""
    head, _, rest = dotted.removeprefix("fhirmap").lstrip(".").partition(".")
    return bool(rest) and head not in ("extending", "spark", "testing") and head not in fhirmap.__all__


def test_every_public_name_is_there_and_its_list_is_in_order() -> None:
    for module in PUBLIC_MODULES:
        assert list(module.__all__) == sorted(module.__all__)
        for name in module.__all__:
            assert getattr(module, name) is not None
    with pytest.raises(AttributeError):
        _ = fhirmap.no_such_name
