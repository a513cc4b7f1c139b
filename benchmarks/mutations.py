"""Broken maps by the hundred thousand: parsing and checking them never raises, never hangs, never takes ever longer.

    python -m benchmarks.mutations                       200,000 mutations, two processes
    python -m benchmarks.mutations --count 5000 --seed 7 --processes 1

Each mutation takes a map of the corpus (the maps that ship, and the public suite where it lies beside the checkout), or
a few lines of one, and breaks it: bytes or tokens are deleted, doubled, swapped, replaced by those of another map;
lines go missing; the text ends early. The same seed gives the same texts. What goes wrong is printed with the seed and
number that make it again; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 5.0
"""Longer than this for one text is a hang; the slowest whole map takes a few hundredths of it."""
CHECKED = 100
"""One of so many texts is checked too."""
WHOLE = 25
"""One of so many is a whole map, the others a few lines of one."""
_TOKEN = re.compile(r"\w+|\s+|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|->|//[^\n]*|.", re.DOTALL)
_STRANGE: tuple[str, ...] = (
    "\0",
    "\ufeff",
    "\u00a0",
    "\u200b",
    "é",
    "'",
    '"',
    "`",
    "\\",
    "/*",
    "*/",
    "//",
    "///",
    '"""',
    "{",
    "}",
    "(",
    ")",
)
_STRANGE += (
    "->",
    "=>",
    ";",
    ",",
    ":",
    "..",
    "0..1",
    "where",
    "then",
    "as",
    "group",
    "model",
    "-- x",
    "<>",
    "%",
    "$",
    "@",
    "\r\n",
)


@dataclass
class Outcome:
    """What became of a run's texts."""

    count: int = 0
    checked: int = 0
    characters: int = 0
    diagnostics: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int, int] = (0.0, 0, 0)
    """Seconds, number and length of the text."""
    faults: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Takes over what another process counted."""
        self.count += other.count
        self.checked += other.checked
        self.characters += other.characters
        self.diagnostics += other.diagnostics
        self.slowest = max(self.slowest, other.slowest)
        self.faults += other.faults


def corpus() -> list[str]:
    """The texts that are mutated."""
    folders = [ROOT / "maps", ROOT / "examples", ROOT.parent / "shared" / "fml" / "suite"]
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in (".map", ".fml"))
    return [path.read_text(encoding="utf-8-sig", errors="replace") for path in paths]


def mutated(texts: Sequence[str], seed: int, number: int) -> str:
    """The text that ``seed`` and ``number`` mean."""
    chance = random.Random(f"{seed}:{number}")
    text = chance.choice(texts)
    if number % WHOLE:
        text = _excerpt(text, chance)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        text = chance.choice(_MUTATIONS)(text, texts, chance)
    return text


def _excerpt(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    heads = [index for index, line in enumerate(lines) if line[:1].isalpha()] or [0]
    start = chance.choice(heads)
    return "\n".join(lines[start : start + chance.randint(2, 25)])


# --- the mutations ----------------------------------------------------------------------------------------------------


def _place(text: str, chance: random.Random, most: int = 12) -> tuple[int, int]:
    start = chance.randint(0, len(text))
    return start, min(len(text), start + chance.randint(1, most))


def _delete(text: str, _texts: Sequence[str], chance: random.Random) -> str:
    start, end = _place(text, chance)
    return text[:start] + text[end:]


def _double(text: str, _texts: Sequence[str], chance: random.Random) -> str:
    start, end = _place(text, chance, 60)
    return text[:end] + text[start:end] * chance.randint(1, 4) + text[end:]


def _insert(text: str, _texts: Sequence[str], chance: random.Random) -> str:
    start, _ = _place(text, chance)
    return text[:start] + chance.choice(_STRANGE) + text[start:]


def _replace(text: str, _texts: Sequence[str], chance: random.Random) -> str:
    start, end = _place(text, chance, 3)
    return text[:start] + "".join(chance.choice(text or " ") for _ in range(end - start)) + text[end:]


def _flip(text: str, _texts: Sequence[str], chance: random.Random) -> str:
    """A byte changes, so that letters of several bytes break."""
    raw = bytearray(text.encode("utf-8", "replace"))
    if raw:
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return raw.decode("utf-8", "replace")


def _token(text: str, texts: Sequence[str], chance: random.Random) -> str:
    tokens = _TOKEN.findall(text)
    if len(tokens) < 2:
        return text
    at = chance.randrange(len(tokens) - 1)
    way = chance.randrange(5)
    if way == 0:
        del tokens[at]
    elif way == 1:
        tokens.insert(at, tokens[at])
    elif way == 2:
        tokens[at], tokens[at + 1] = tokens[at + 1], tokens[at]
    elif way == 3:
        other = chance.randrange(len(tokens))
        tokens[at], tokens[other] = tokens[other], tokens[at]
    else:
        start = chance.choice(texts)
        begin = chance.randrange(max(1, len(start) - 200))
        tokens[at] = chance.choice(_TOKEN.findall(start[begin : begin + 200]) or [" "])
    return "".join(tokens)


def _lines(text: str, _texts: Sequence[str], chance: random.Random) -> str:
    lines = text.split("\n")
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    way = chance.randrange(3)
    if way == 0:
        del lines[at]
    elif way == 1:
        lines.insert(other, lines[at])
    else:
        lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines)


def _end_early(text: str, _texts: Sequence[str], chance: random.Random) -> str:
    return text[: chance.randint(0, len(text))]


_MUTATIONS: tuple[Callable[[str, Sequence[str], random.Random], str], ...] = (
    *(_delete, _double, _insert, _replace, _flip, _lines, _end_early),
    *(_token,) * 5,
)


# --- running ----------------------------------------------------------------------------------------------------------


class _HangError(Exception):
    pass


def _hangs(_signal: int, _frame: FrameType | None) -> None:
    raise _HangError


def run(seed: int, numbers: range) -> Outcome:
    """Parses the texts of ``numbers``, checks some of them."""
    from fhirmap.compilation.program import check_maps
    from fhirmap.interchange.packages import load_definitions
    from fhirmap.language.parser import parse

    texts = corpus()
    definitions, _ = load_definitions([ROOT / "maps" / "renacot" / "definitions"])
    outcome = Outcome()
    signal.signal(signal.SIGALRM, _hangs)
    for number in numbers:
        text = mutated(texts, seed, number)
        outcome.count += 1
        outcome.characters += len(text)
        started = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
        try:
            tree, diagnostics = parse(text, "mutation.map")
            if number % CHECKED == 1:
                outcome.checked += 1
                diagnostics = (*diagnostics, *check_maps(tree, definitions=definitions).diagnostics)
            for entry in diagnostics:
                entry.message, entry.hint_text, entry.label  # noqa: B018  each text can be made
                if entry.span is not None:
                    assert 0 <= entry.span.start <= entry.span.end <= len(entry.span.text.text), "a place in the text"
            outcome.diagnostics.update(entry.code for entry in diagnostics)
        except _HangError:
            outcome.faults.append(f"seed {seed}, number {number}: over {LIMIT_S:g} s")
        except Exception:  # noqa: BLE001  whatever it is, it is what is looked for
            outcome.faults.append(f"seed {seed}, number {number}: {traceback.format_exc(limit=-3)}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        outcome.slowest = max(outcome.slowest, (time.perf_counter() - started, number, len(text)))
    return outcome


def growth() -> Iterator[tuple[str, list[float]]]:
    """Seconds of processor time to parse 1, 2 and 4 times a text, right and wrong in several ways."""
    from fhirmap.language.parser import parse

    whole = (ROOT / "maps" / "renacot" / "renacot.map").read_text(encoding="utf-8")
    groups = whole[whole.index("group declaration") :] * 4
    kinds = {
        "right": groups,
        "no semicolons": groups.replace(";", ""),
        "no closing braces": groups.replace("}", ""),
        "every tenth token gone": "".join(token for index, token in enumerate(_TOKEN.findall(groups)) if index % 10),
        "quotes open": groups.replace("',", ","),
        "another language": "SELECT a, b FROM c WHERE d <> 'x' -- y\n" * 400,
        "brackets": "group g(source a, target b) { a where " + "(" * 2000 + "\n",
    }
    for name, text in kinds.items():
        seconds = []
        for times in (1, 2, 4):
            best = 1e9
            for _ in range(2):
                started = time.process_time()
                parse(text * times)
                best = min(best, time.process_time() - started)
            seconds.append(best)
        yield name, seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """The recorded run."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=200_000)
    options.add_argument("--seed", type=int, default=2026)
    options.add_argument("--processes", type=int, default=2)
    given = options.parse_args(arguments)
    started = time.perf_counter()
    step = 500
    parts = [(given.seed, range(at, min(at + step, given.count))) for at in range(0, given.count, step)]
    outcome = Outcome()
    if given.processes > 1:
        with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
            for part in pool.starmap(run, parts):
                outcome.add(part)
    else:
        for seed, numbers in parts:
            outcome.add(run(seed, numbers))
    seconds, number, length = outcome.slowest
    codes = ", ".join(f"{code} {count:,}" for code, count in outcome.diagnostics.most_common(12))
    print(
        f"{outcome.count:,} mutations ({outcome.characters:,} characters) parsed, {outcome.checked:,} checked too, ",
        end="",
    )
    print(f"seed {given.seed}: {time.perf_counter() - started:.0f} s")
    print(f"{sum(outcome.diagnostics.values()):,} diagnostics of {len(outcome.diagnostics)} codes: {codes}")
    print(f"slowest: {seconds * 1000:.0f} ms (number {number}, {length:,} characters)")
    print(f"exceptions and hangs: {len(outcome.faults)}")
    for fault in outcome.faults[:20]:
        print(fault)
    too_steep = False
    for name, times in growth():
        too_steep |= times[2] > max(8 * times[0], 0.2)
        print(f"parse at 1x, 2x, 4x length, {name}: " + ", ".join(f"{value * 1000:.0f} ms" for value in times))
    return 1 if outcome.faults or too_steep else 0


if __name__ == "__main__":
    sys.exit(main())
