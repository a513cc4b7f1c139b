"""Pages that are run: the files that a page shows are written, its commands run, what they print is compared.

fhirmap's own commands run in this process, which takes a fifth of the time; a line that needs a shell has one.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import in_process

_BLOCK = re.compile(r"^```(?P<info>[^\n]+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_APPENDED = (", at the end", ", à la fin")


@dataclass(frozen=True)
class ShownFile:
    """A file that the page shows. ``is_appended``: added to what is there."""

    path: str
    text: str
    is_appended: bool


@dataclass(frozen=True)
class ShownCommand:
    """A command, and the lines that the page shows of what it prints; `…` is anything."""

    command: str
    lines: tuple[str, ...]


def steps(page: str) -> Iterator[ShownFile | ShownCommand]:
    """The files and commands of a page, in order."""
    for block in _BLOCK.finditer(page):
        if block["info"] == "console":
            yield from _commands(block["body"])
        caption = re.match(r":caption: (.+)\n\n", block["body"])
        if caption is not None:
            path = caption[1]
            text = block["body"][caption.end() :]
            ending = next((word for word in _APPENDED if path.endswith(word)), "")
            yield ShownFile(path.removesuffix(ending), f"\n{text}" if ending else text, bool(ending))


def _commands(body: str) -> Iterator[ShownCommand]:
    for part in re.split(r"(?m)^\$ ", body)[1:]:
        command, *lines = part.rstrip("\n").split("\n")
        yield ShownCommand(command, tuple(lines))


def run_page(page: Path, folder: Path, *, language: str = "en") -> int:
    """Do in ``folder`` what ``page`` says; the number of commands that were run.

    Raises:
        AssertionError: a command printed something else than the page shows.
    """
    count = 0
    for step in steps(page.read_text(encoding="utf-8")):
        if isinstance(step, ShownFile):
            path = folder / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a" if step.is_appended else "w", encoding="utf-8") as file:
                file.write(step.text)
            continue
        count += 1
        printed = _run(step.command, folder, language)
        assert _is_shown(printed, step.lines), f"{page.name}: $ {step.command}\nprinted:\n{printed}"
    return count


def _run(command: str, folder: Path, language: str) -> str:
    own = _own_command(command)
    code, printed = _in_shell(command, folder, language) if own is None else _in_process(own, folder, language)
    assert code in (0, 1, 2), f"$ {command}\n{printed}"
    # A page is written with plain blanks where French has blanks that do not break.
    return printed.replace("\u00a0", " ").replace("\u202f", " ")


def _own_command(command: str) -> list[str] | None:
    """The words after `fhirmap`, where a shell has nothing else to do with the line; None of any other."""
    if set(command) & set("|<>&;$*?`\\~#"):
        return None
    words = shlex.split(command)
    return words[1:] if words[0] == "fhirmap" else None


def _in_process(words: Sequence[str], folder: Path, language: str) -> tuple[int, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FHIRMAP_LANG", language)
        patch.setenv("COLUMNS", "160")
        done = in_process(*words)
    return done.code, done.out + done.err


def _in_shell(command: str, folder: Path, language: str) -> tuple[int, str]:
    root = Path(__file__).resolve().parents[2]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(root),
        "FHIRMAP_LANG": language,
        "COLUMNS": "160",
    }
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def _is_shown(printed: str, lines: tuple[str, ...]) -> bool:
    """Do the lines occur in this order, `…` alone for any lines and in a line for any characters?"""
    pattern, is_gap = "", False
    for line in lines:
        if line.strip() == "…":
            is_gap = True
            continue
        pattern += r"(?:.*\n)*?" if is_gap else ""
        pattern += ".*?".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ ]*\n"
        is_gap = False
    return re.match(pattern + (r"" if is_gap or not lines else r"(?s:.*)"), printed) is not None
