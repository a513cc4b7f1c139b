"""A key of several columns in another form than the journal's: the form is shown, with the names of the columns."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import ROWS, Tiny, in_process

Make = Callable[..., Tiny]


@pytest.fixture
def project(tiny: Make) -> Tiny:
    found = tiny()
    path = found.folder / "tiny.map"
    text = path.read_text(encoding="utf-8").replace("key 'id'", "key 'id', 'lot'")
    path.write_text(text, encoding="utf-8")
    assert in_process("run", found.folder).code == 0
    return found


@pytest.mark.parametrize("key", ["1", "1,L1001", "L1001|1", "1|L1001|x"])
def test_the_form_of_the_key_is_shown(project: Tiny, key: str) -> None:
    for command in (
        ("status", project.folder, "--key", key),
        ("preview", project.folder, "--row", key),
        ("acknowledge", key, "--why", "x", "--project", project.folder),
    ):
        code = "FM666" if command[0] == "acknowledge" else "FM745"
        in_process(*command).reported(code, 2, f"`{key}`", '`"id|lot"`', "several columns")


def test_the_right_form_is_found(project: Tiny) -> None:
    key = f"{ROWS[0][0]}|{ROWS[0][4]}"
    assert in_process("status", project.folder, "--key", key).code == 0
    assert in_process("preview", project.folder, "--row", key).code == 0
