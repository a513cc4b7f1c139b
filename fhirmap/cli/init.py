"""``fhirmap init``: a project folder."""

from __future__ import annotations

from pathlib import Path

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.screen import echo_folded, echo_json
from fhirmap.texts import text


@define("init")
@argument("folder", type=FilePath())
@option("--example")
@option("--source")
@option("--table")
@option("--target")
@option("--json", "as_json", is_flag=True)
def command(
    folder: Path, example: str | None, source: str | None, table: str | None, target: str | None, as_json: bool
) -> None:
    """Start a project in FOLDER, new or empty: fhirmap.toml, a map, and a sample where no source is given."""
    from fhirmap.runner.scaffold import copy_example, init_project

    if example is not None:
        copy_example(example, folder)
    else:
        init_project(folder, source, table, target)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    if as_json:
        echo_json({"folder": str(folder), "files": files})
        return
    echo_folded(f"{folder}: {', '.join(files)}")
    echo_folded(text("output.init.next", folder=folder))
