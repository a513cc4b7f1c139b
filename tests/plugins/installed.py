"""The worked examples of the documentation as an installer leaves them: modules beside their metadata."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "docs" / "examples"


def install(name: str, target: Path) -> None:
    """What `pip install --no-deps --target` does with the example ``name``, without a build: it needs no network."""
    source = EXAMPLES / name
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    meta = project["project"]
    for file in project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]:
        shutil.copy(source / file, target)
    folder = target / f"{meta['name'].replace('-', '_')}-{meta['version']}.dist-info"
    folder.mkdir()
    head = f"Metadata-Version: 2.1\nName: {meta['name']}\nVersion: {meta['version']}\n"
    (folder / "METADATA").write_text(head, encoding="utf-8")
    entries = [
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in found.items())
        for group, found in meta["entry-points"].items()
    ]
    (folder / "entry_points.txt").write_text("\n".join(entries), encoding="utf-8")
