"""FM242: groups whose calls double from level to level, until one record would never end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.typed import TypedGroup
from fhirmap.diagnostics import Diagnostic

MOST_CALLS = 100_000
"""How many calls of groups the rules of one group may lead to."""


def too_many_calls(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each group that leads to more calls than `MOST_CALLS`, where none that it calls does (FM242).

    Each call counts as often as its group is called. A group that calls itself counts once: how deep it goes is up to
    the data.
    """
    counts = _counts(checked.groups)
    for group in checked.groups:
        if counts[group] > MOST_CALLS and all(counts[called] <= MOST_CALLS for called in group.calls):
            args = {"group": group.node.name, "limit": MOST_CALLS}
            yield Diagnostic("FM242", group.node.name_span, args, variant="calls")


def _counts(groups: Iterable[TypedGroup]) -> Mapping[TypedGroup, int]:
    """How many calls each group leads to, its own among them, at most a little more than `MOST_CALLS`.

    Depth first, without recursion: no chain of calls is too long. A call that leads back is left out.
    """
    counts: dict[TypedGroup, int] = {}
    opened: set[TypedGroup] = set()
    waiting = [*groups]
    while waiting:
        group = waiting[-1]
        if group in counts:
            waiting.pop()
        elif group not in opened:
            opened.add(group)
            waiting += [called for called in dict.fromkeys(group.calls) if called not in opened]
        else:
            waiting.pop()
            counts[group] = min(1 + sum(counts.get(called, 0) for called in group.calls), MOST_CALLS + 1)
    return counts
