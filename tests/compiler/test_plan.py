"""A module imports what its parts use, and nothing else."""

from __future__ import annotations

from fhirmap.compiler import python as py
from fhirmap.compiler.plan import Module, ModuleConstant, ModuleSection, PythonFunction, uses_of

DROP, COPIED = py.Import("m", "drop"), py.Import("m", "copied")


def test_imports_are_those_of_all_parts() -> None:
    constant = ModuleConstant(py.Name("_k"), py.Imported(DROP))
    function = PythonFunction(py.Name("f"), (), "d", (py.Do(None, py.Call(py.Imported(COPIED))),))
    section = ModuleSection((ModuleConstant(py.Name("_v"), py.Imported(py.DECIMAL)),))
    assert Module("t", "d", "v", (constant,), (function,), section).imports == {DROP, COPIED, py.DECIMAL}
    assert Module("t", "d", "v", (), ()).imports == frozenset()
    assert uses_of((function, section)) == {COPIED, py.DECIMAL}
