"""The code speaks plainly: comments, names and texts of the product, its maps, examples, grammars and tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vocabulary import odd_names

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("fhirmap", "maps", "examples", "grammar", "benchmarks", "tools", "tests", "docs/examples")
WRITTEN = frozenset({".py", ".map", ".lark", ".toml", ".json", ".sql", ".html", ".j2"})
# Where a word of the list is the name of something else.
ALLOWED = {
    "fhirmap/runtime/fhirpath/__init__.py": {"floor"},  # the function of FHIRPath
    "fhirmap/runtime/fhirpath/numbers.py": {"floor"},
    "tests/cases/fhirpath/corpus.toml": {"floor"},
    "tests/cli/test_wrong_data.py": {"nobody"},  # a user that does not exist
    "tests/diagnostics/test_page_words.py": {"behind", "stands", "told"},  # texts that must be found
    "tests/runner/test_preview.py": {"judge"},  # names that a map may give its groups
    "tests/runtime/test_transformer.py": {"judge"},
    "tests/interchange/structure_map/test_documentation.py": {"behind"},
}
SKIPPED = frozenset({"tests/vocabulary.py", "tests/test_words.py"})


def written() -> list[str]:
    """Every file that a person reads; French ones, records and what the guide itself says have words of their own, and
    so have programs of others that benchmarks compare with."""
    paths = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in WRITTEN)
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    return sorted(
        name
        for name in names
        if not (set(name.split("/")) & {"fr", "fr.toml", "data", "node_modules"}) and name not in SKIPPED
    )


def words(name: str) -> set[str]:
    found = odd_names((ROOT / name).read_text("utf-8"))
    return {entry.partition(":")[0].lower() for entry in found}


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_written_has_plain_words(folder: str) -> None:
    names = [name for name in written() if name.startswith(f"{folder}/")]
    assert names
    left = {name: words(name) - ALLOWED.get(name, set()) for name in names}
    assert {name: odd for name, odd in left.items() if odd} == {}


@pytest.mark.parametrize("name", ALLOWED)
def test_an_allowed_word_is_still_there(name: str) -> None:
    assert ALLOWED[name] <= words(name)


def test_names_are_read_word_by_word() -> None:
    assert [entry.partition(":")[0] for entry in odd_names("def is_told(plan: RoomPlan) -> None: ...")] == [
        "told",
        "Room",
    ]
    assert odd_names("understand(tollroom)  # behind a reverse proxy, ROUND_FLOOR") == []
