"""Does a module of functions keep the contract of functions that maps call?"""

from __future__ import annotations

import doctest
from importlib import import_module
from types import ModuleType

from fhirmap.runtime.functions import functions_of

__all__ = ["check_functions"]


def check_functions(module: ModuleType) -> None:
    """Every function of ``module`` that carries `@function` has a signature, can be imported by the name that
    generated code uses, is described, and has examples that hold, twice over.

    Raises: AssertionError.
    """
    found = functions_of(module)
    assert found, f"{module.__name__} has no function under @function"
    for signature in found:
        where = f"{module.__name__}.{signature.python_name}"
        assert hasattr(import_module(signature.module), signature.python_name), f"{where} cannot be imported by name"
        target = getattr(module, signature.python_name)
        assert target.__doc__, f"{where} has no docstring: `fhirmap functions` shows it"
        examples = [test for test in doctest.DocTestFinder().find(target, signature.name) if test.examples]
        assert examples, f"{where} has no example (`>>>`)"
        for _ in range(2):  # a function that keeps something answers differently the second time
            for test in examples:
                runner = doctest.DocTestRunner(verbose=False)
                test.globs = dict(vars(module))
                runner.run(test, clear_globs=False)
                assert runner.failures == 0, f"{where}: an example does not hold"
