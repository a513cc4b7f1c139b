"""What measurements found, as lines of one table. `python -m benchmarks` prints it and keeps it as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

RELEASED = Path(__file__).with_name("released.json")
"""The figures of the last release."""
_MUCH = 1.15
"""A ratio of so many times the released one is more than the noise of a quiet machine."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One job, measured.

    ``ours``, ``reference``: what it costs us, and what it costs ``by`` another way, in ``unit``; None where nothing
    else does the job. ``wanted``: the ratio that it is to come to; ``bound``: the one that no change is to pass. Where
    there is no reference, both are of ``ours``.
    """

    job: str
    ours: float
    unit: str
    wanted: float
    bound: float
    reference: float | None = None
    by: str = ""

    @property
    def ratio(self) -> float:
        """What is held against ``wanted`` and ``bound``."""
        return self.ours if self.reference is None else self.ours / self.reference

    @property
    def is_over(self) -> bool:
        """Is it over its bound?"""
        return self.ratio > self.bound


def code_of(figures: Sequence[Figure]) -> int:
    """The exit code of a measurement: 1 where a figure is over its bound."""
    return int(any(figure.is_over for figure in figures))


def table(figures: Sequence[Figure], instructions: Mapping[str, int], released: Mapping[str, float]) -> str:
    """The lines of the table. ``instructions``: thousands of a job, counted; ``released``: ratios by job."""
    rows = [("job", "ours", "reference", "", "ratio", "wanted", "released", "instructions")]
    for figure in figures:
        before = released.get(figure.job)
        rows.append(
            (
                figure.job,
                f"{figure.ours:.4g} {figure.unit}",
                "" if figure.reference is None else f"{figure.reference:.4g} {figure.unit}",
                figure.by,
                f"{figure.ratio:.2f}" if figure.reference is not None else "",
                f"{figure.wanted:.3g}" + ("" if figure.ratio <= figure.wanted else " missed"),
                "" if before is None else f"{before:.2f}" + (" slower" if figure.ratio > before * _MUCH else ""),
                f"{instructions[figure.job]:,} k" if figure.job in instructions else "",
            )
        )
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def write(path: Path, version: str, figures: Sequence[Figure], instructions: Mapping[str, int]) -> None:
    """Keep the figures as JSON."""
    jobs = {
        figure.job: {
            "ours": figure.ours,
            "reference": figure.reference,
            "unit": figure.unit,
            "ratio": round(figure.ratio, 3),
            "instructions_k": instructions.get(figure.job),
        }
        for figure in figures
    }
    path.write_text(json.dumps({"version": version, "jobs": jobs}, indent=2) + "\n", encoding="utf-8")


def released() -> Mapping[str, float]:
    """The ratios of the last release, by job; none before the first."""
    if not RELEASED.exists():
        return {}
    return {job: entry["ratio"] for job, entry in json.loads(RELEASED.read_text(encoding="utf-8"))["jobs"].items()}
