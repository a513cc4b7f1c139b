"""How a validator reports: where it is in a resource, and the faults that are found there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fhirmap.errors import FhirmapError
from fhirmap.records import Fault

Path = str | tuple[Any, ...]
"""Where a value is: its path, or the path with gaps and the indexes to fill them with should there be a fault."""


@dataclass(slots=True)
class Visit:
    """A place in a resource that is being validated, and the faults found so far.

    ``path``: `Parameters.parameter[6].value`; ``element``: the same with slice names and no index; ``resource``: the
    nearest resource around, for `%resource`; ``root``: the outermost one. A value: nothing changes a visit once it is
    made (one is made for each object, and frozen ones take three times as long to make).
    """

    faults: list[Fault]
    path: Path
    element: str
    resource: Any = None
    root: Any = None

    def report(self, code: str, rule: str, variant: str = "", **args: object) -> None:
        """Report a fault of severity error here."""
        self.faults.append(Fault(code, "error", self.place, self.element, rule, args, variant))

    @property
    def place(self) -> str:
        """The path as text."""
        path = self.path
        return path if isinstance(path, str) else path[0].format(*path[1:])

    def child(self, name: str, written: str) -> Visit:
        """The element ``name``; ``written`` as element paths write it: `value[x]`."""
        return Visit(self.faults, f"{self.path}.{name}", f"{self.element}.{written}", self.resource, self.root)

    def item(self, index: int) -> Visit:
        """One item of a list."""
        return Visit(self.faults, f"{self.path}[{index}]", self.element, self.resource, self.root)

    def slice(self, name: str) -> Visit:
        """The same place as a slice."""
        return Visit(self.faults, self.path, f"{self.element}:{name}", self.resource, self.root)

    def within(self, resource: object) -> Visit:
        """The same place inside a resource of its own."""
        return Visit(self.faults, self.path, self.element, resource, self.root if self.root is not None else resource)


Test = Callable[[Any, Any], bool]
"""(focus, resource) -> does it hold?"""
Invariants = Callable[[Any, Any, list[Fault], Path, str], None]
"""(focus, resource, faults, path, element): reports each invariant that does not hold of the focus."""
Cause = tuple[str, Test, str]
"""Name, test and text of one reason for which an invariant fails."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """An invariant as faults name it. ``causes``: the first that applies words the fault."""

    key: str
    severity: str
    human: str = ""
    causes: tuple[Cause, ...] = ()


def broken(invariant: Invariant, focus: object, visit: Visit) -> None:
    """Report an invariant that does not hold of ``focus``."""
    variant, human = "", invariant.human
    for name, applies, text in invariant.causes:
        if applies(focus, visit.resource):
            variant, human = name, text
            break
    key, severity = invariant.key, invariant.severity
    visit.faults.append(Fault("FM520", severity, visit.place, visit.element, key, {"human": human}, variant))


def not_evaluated(invariant: Invariant, error: Exception, visit: Visit) -> None:
    """Report an invariant whose expression failed on this value with ``error``, whose text may quote the value."""
    key, severity = invariant.key, invariant.severity
    code = error.code if isinstance(error, FhirmapError) else type(error).__name__
    visit.faults.append(Fault("FM521", severity, visit.place, visit.element, key, {"code": code}))


def report_count(name: str, count: int, allowed: tuple[int, int | None], visit: Visit) -> None:
    """Report an element that comes less often or more often than ``allowed``: least and most, None for no limit."""
    least, most = allowed
    if count < least:
        if count == 0:
            visit.report("FM504", "required", name=name)
        else:
            visit.report("FM505", "cardinality", "few", name=name, count=count, least=least)
    elif most is not None and count > most:
        visit.report("FM505", "cardinality", "many", name=name, count=count, most=most)


def is_sound(faults: Sequence[Fault], before: int = 0) -> bool:
    """Is everything of the JSON type it should have, so that expressions can walk it?

    ``before``: how many faults had been found already.
    """
    return all(fault.code not in ("FM501", "FM512") for fault in islice(faults, before, None))
