"""`python wheelhouse.py WHEEL CONSTRAINTS FOLDER`: all that an installation of the wheel with its simulator needs, in a
folder, with `needed.txt`: those lines of the constraints, hashes included, that are about it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*==", re.MULTILINE)


def collect(wheel: Path, constraints: Path, folder: Path) -> None:
    """Downloads the versions that the constraints name, as far as the wheel needs them here."""
    folder.mkdir(parents=True)
    pins = folder / "pins.txt"
    pins.write_text("\n".join(_pins(constraints.read_text(encoding="utf-8"))), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder), "--constraint", str(pins)]
    subprocess.run([*command, f"{wheel}[simulator]"], check=True)
    pins.unlink()
    shutil.copy(wheel, folder)
    names = {normalized(path.name.split("-")[0]) for path in folder.iterdir()}
    (folder / "needed.txt").write_text(needed(constraints.read_text(encoding="utf-8"), names), encoding="utf-8")


def _pins(text: str) -> Iterator[str]:
    """`name==version ; marker` of each requirement, without its hashes."""
    for block in _blocks(text):
        yield block.splitlines()[0].rstrip("\\ ")


def needed(text: str, names: Collection[str]) -> str:
    """The requirements of a file with hashes that are about ``names``."""
    return "".join(block for block in _blocks(text) if normalized(_REQUIREMENT.findall(block)[0]) in names)


def _blocks(text: str) -> Iterator[str]:
    """Each requirement with the lines that go on with it."""
    starts = [found.start() for found in _REQUIREMENT.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield text[start:end]


def normalized(name: str) -> str:
    """A package's name in its normal form (PyPA, name normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    collect(*(Path(argument) for argument in sys.argv[1:4]))
