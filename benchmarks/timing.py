"""Times on a busy machine: CPU time, what is compared runs by turns, and the shortest of many rounds counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def fastest(actions: Mapping[str, Callable[[], object]], rounds: int, number: int) -> dict[str, float]:
    """Microseconds of one call of each action: the best of ``rounds`` rounds of ``number`` calls."""
    best = dict.fromkeys(actions, float("inf"))
    for _ in range(rounds):
        for name, action in actions.items():
            started = time.process_time()
            for _ in range(number):
                action()
            best[name] = min(best[name], (time.process_time() - started) / number * 1e6)
    return best
