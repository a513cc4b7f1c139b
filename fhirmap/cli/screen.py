"""How wide the screen is, and lines that fit it. Loads no library."""

from __future__ import annotations

from collections.abc import Iterator
from shutil import get_terminal_size

import click

__all__ = ["echo_folded", "echo_json", "refilled", "screen_width"]

_NARROWEST = 40
_MARKERS = ("- ", "* ", "|", "#", ">>>", "1. ")


def screen_width() -> int:
    """Columns for a line: COLUMNS where it is set, else the terminal's; 80 for a pipe or a file."""
    return max(get_terminal_size().columns, _NARROWEST)


def echo_folded(line: str, indent: int = 4, *, err: bool = False) -> None:
    """Write a line for people, folded where it does not fit; what follows its first piece is indented."""
    from fhirmap.diagnostics.render import folded

    for piece in folded(line, screen_width(), indent):
        click.echo(piece, err=err)


def echo_json(value: object, indent: int | None = None) -> None:
    """Write data for programs, keys and the words of others in it as they are shown to people."""
    import json

    from fhirmap.texts.shown_keys import shown_data

    click.echo(json.dumps(shown_data(value), ensure_ascii=False, indent=indent))


def refilled(words: str, width: int) -> Iterator[str]:
    """The lines of prose in paragraphs, filled anew to ``width``. Indented lines, which are examples, stay as they are.

    Example:
        >>> list(refilled("one two three\\nfour\\n\\n    as it is here", 12))
        ['one two', 'three four', '', '    as it is here']
    """
    paragraph: list[str] = []
    for line in words.splitlines():
        is_prose = bool(line.strip()) and not line.startswith("    ")
        if paragraph and (not is_prose or line.startswith(_MARKERS)):
            yield from _filled(paragraph, width)
            paragraph = []
        if is_prose:
            paragraph.append(line.strip())
        else:
            yield line.rstrip()
    if paragraph:
        yield from _filled(paragraph, width)


def _filled(paragraph: list[str], width: int) -> list[str]:
    from fhirmap.diagnostics.render import folded

    return folded(" ".join(paragraph), width, 2 if paragraph[0].startswith(_MARKERS) else 0)
