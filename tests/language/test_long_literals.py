"""A literal of some megabytes is read in little memory, and is not shown whole where something is wrong with it."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from fhirmap.diagnostics.render import render_diagnostics
from fhirmap.language.parser import parse

_READ = """
from fhirmap.language.parser import parse
text = "group a(source s, target t) { s -> t.id = QUOTE" + BODY * 5_000_000 + "QUOTE 'r'; }"
tree, found = parse(text)
print(len(tree.groups), [entry.code for entry in found])
"""
_MOST_BYTES = 1_000_000_000


@pytest.mark.parametrize(("quote", "body"), [("'", "'a'"), ('"', "'a'"), ("'", "'\\\\\\\\'")])
def test_a_long_literal_is_read_in_little_memory(quote: str, body: str) -> None:
    code = _READ.replace("QUOTE", "\\" + quote).replace("BODY", body)
    limit = (_MOST_BYTES, _MOST_BYTES)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit),
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.startswith("1 ")


def test_a_long_literal_is_not_shown_whole() -> None:
    _, found = parse("group a(source s, target t) { s -> t.id = '" + "a" * 1_000_000 + "' = ; }", "a.map")
    shown = render_diagnostics(found)
    assert shown
    assert max(map(len, shown.splitlines())) < 300
