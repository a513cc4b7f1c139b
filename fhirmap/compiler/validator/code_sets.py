"""Codes of required bindings, each set a constant."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from fhirmap.compiler.names import snake_case
from fhirmap.compiler.plan import ModuleConstant
from fhirmap.compiler.python import Expr, Literal, Name, SetOf
from fhirmap.compiler.runtime_functions import call
from fhirmap.compiler.validator.merged import MergedElement
from fhirmap.compiler.validator.section import SectionBuilder
from fhirmap.model.terminology import expand

_MANY = 4000


class CodeSets:
    """The sets of codes that a validator looks up."""

    def __init__(self, section: SectionBuilder) -> None:
        self._section = section
        self._names: dict[tuple[str, ...], Name | None] = {}

    def constant(self, merged: MergedElement) -> Name | None:
        """The constant that holds the codes of an element's required bindings; None where they cannot be listed."""
        urls = merged.value_sets
        if not urls:
            return None
        if urls not in self._names:
            self._names[urls] = self._written(urls, merged.views[0].path)
        return self._names[urls]

    def _written(self, urls: tuple[str, ...], path: str) -> Name | None:
        known = []
        for url in urls:
            codes = expand(self._section.definitions, url)
            if codes is None:
                self._section.report("FM353", url=url, element=path)
            else:
                known.append(codes)
        if not known:
            return None
        name = self._section.name(f"{snake_case(urls[0].rsplit('/', 1)[-1]).upper()}_CODES")
        self._section.tables.append(ModuleConstant(name, _pairs(sorted(frozenset.intersection(*known)))))
        return name


def _pairs(codes: Sequence[tuple[str, str]]) -> Expr:
    """The set of codes: written out, or as a text for each system where they are many, which takes less memory."""
    if len(codes) <= _MANY or any("\n" in code for _, code in codes):
        return SetOf(tuple(map(Literal, codes)), is_tall=True)
    systems = groupby(codes, itemgetter(0))
    texts = tuple((system, "\n".join(code for _, code in held)) for system, held in systems)
    return call("listed_pairs", Literal(texts))
