"""Identifiers: what a map calls its parts, as Python names of one scope."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

from fhirmap.compiler.python import Name

_TAKEN = frozenset((*keyword.kwlist, *keyword.softkwlist, *dir(builtins)))


class Names:
    """Identifiers of one scope, each given once; FML names keep their case.

    None begins with an underscore: such names are the module's own.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, wanted: str) -> Name:
        """``wanted`` as an identifier, numbered where the scope or Python has it already.

        Example:
            >>> names = Names()
            >>> [str(names.take(word)) for word in ("class", "a-b", "a_b")]
            ['class_', 'a_b', 'a_b_2']
        """
        base = re.sub(r"[^A-Za-z0-9_]", "_", wanted).lstrip("_") or "value"
        if base[0].isdigit():
            base = f"n_{base}"
        if base in _TAKEN:
            base += "_"
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return Name(name)

    def mark(self) -> frozenset[str]:
        """What is taken now, to `release` what comes after."""
        return frozenset(self._taken)

    def release(self, mark: frozenset[str]) -> None:
        """Let names taken since ``mark`` be taken again: their scope has ended."""
        self._taken = set(mark)

    def inner(self) -> Names:
        """A scope within this one."""
        return Names(self._taken)


def snake_case(text: str) -> str:
    """`PoseDMI` as `pose_dmi`: how our own functions are spelt."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return re.sub(r"[^A-Za-z0-9]+", "_", spaced).strip("_").lower() or "model"
