"""The model of a file of lines of fixed width: its columns are guessed, since nothing in the file names them.

A column ends where all lines have a blank, and where a number ends in all lines and letters begin, or the reverse. The
sign of a number, and the blanks that fill it up from the left, are part of it.
Days that follow other digits are found by what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, islice

from fhirmap.errors import ConfigError
from fhirmap.inspection.csv_models import encoding_of
from fhirmap.inspection.guess import TEXT, Guess, codes_of, guess_most, identifies_person
from fhirmap.inspection.names import UniqueNames, pascal_case
from fhirmap.inspection.sketch import ElementSketch, ModelSketch, column_element, store_clause
from fhirmap.runtime.transforms.dates import parser
from fhirmap.sources.address import Address
from fhirmap.sources.files.source_files import FileSet, SourceFile, reading
from fhirmap.sources.files.text_lines import open_text
from fhirmap.texts import Text

__all__ = ["fixed_models"]

_SAMPLE = 5000
_MOST_COLUMNS = 300
_DAYS = ("ddMMyyyy", "yyyyMMdd")
_WIDTH_OF_DAY = 8
_SHORTEST_NUMBER = 5
"""Digits that are a column of their own beside letters; fewer are a part of a code (`A001`)."""
_NUMBER = re.compile(r" *[+-]?[0-9]+")
_YEARS = range(1850, 2101)


def fixed_models(address: Address, name: str | None, encoding: str, zone: str, names: UniqueNames) -> list[ModelSketch]:
    """The model of a line.

    Raises: ConfigError FM70x (cannot be read), FM750 (no columns).
    """
    file = FileSet(address).listing().files[0]
    chosen = encoding or encoding_of(file)
    lines = list(islice(_lines(file, chosen), _SAMPLE))
    places = [part for place in _columns(lines) for part in _around_days(lines, place)]
    if not places or len(places) > _MOST_COLUMNS:
        raise ConfigError("FM750", source=address.shown, reason=Text("reasons.no_positions"))
    cells = {place: [line[place.start : place.stop].strip() for line in lines] for place in places}
    fit = [place for place in places if not identifies_person("", cells[place])] or places
    unique = (place for place in fit if all(cells[place]) and len(set(cells[place])) == len(lines))
    key = next(unique, fit[0])
    is_usual = chosen.lower() in ("", "utf-8")
    store = store_clause("fixed", key=(_name(key),), encoding=None if is_usual else chosen)
    model = ModelSketch(names.take(name or pascal_case(address.path.stem if address.path else "Line")), store)
    model.remark = Text("inspection.positions")
    for place in places:
        kind = TEXT if place == key else _guess(cells[place])
        first, last = place.start + 1, place.stop
        element = column_element(f"c{first}_{last}", kind, _name(place), zone, required=place == key)
        element = replace(element, positions=(first, last))
        model.elements.append(ElementSketch(element, codes=codes_of(cells[place])))
    return [model]


def _guess(cells: Sequence[str]) -> Guess:
    """The type of a column; days without separators are looked for first, since digits alone may be any number."""
    held = {cell for cell in cells if cell}
    form = next((form for form in _DAYS if held and all(_is_day(cell, form) for cell in held)), "")
    return Guess("date", form) if form else guess_most(cells)


def _name(place: range) -> str:
    return f"{place.start + 1}-{place.stop}"


def _lines(file: SourceFile, encoding: str) -> Iterator[str]:
    with reading(file), open_text(file, encoding) as opened:
        for raw in opened:
            line = raw.rstrip("\r\n\x1a")
            if line and not line.isspace():
                yield line


def _columns(lines: Sequence[str]) -> list[range]:
    """Runs of positions at which some line has a character; long runs of digits apart from letters beside them."""
    width = max(map(len, lines), default=0)
    kinds = [_kind({line[place] for line in lines if place < len(line)}) for place in range(width)]
    found: list[range] = []
    was_number = False
    for kind, run in groupby(range(width), kinds.__getitem__):
        places = list(run)
        is_number = kind == "digits" and len(places) >= _SHORTEST_NUMBER
        if found and kind and found[-1].stop == places[0] and not (is_number or was_number):
            found[-1] = range(found[-1].start, places[-1] + 1)
        elif kind:
            start = places[0]
            if found and is_number and found[-1].stop == start:
                start = _start_of_number(lines, found[-1], places[-1] + 1)
                found[-1:] = [range(found[-1].start, start)] if start > found[-1].start else []
            found.append(range(start, places[-1] + 1))
        was_number = is_number
    return found


def _start_of_number(lines: Sequence[str], before: range, stop: int) -> int:
    """Where a number begins whose last digits all lines have after ``before``: with its sign, and blanks on its left.

    The same sign in all lines, after something else, is what separates two columns: `2025-00012`.
    """
    start = before.stop
    while start > before.start and all(_NUMBER.fullmatch(line[start - 1 : stop]) for line in lines):
        start -= 1
    signs = {line[start : before.stop] for line in lines}
    return before.stop if len(signs) == 1 and start > before.start else start


def _kind(signs: set[str]) -> str:
    """Of what some lines have at a position: digits, or a text; empty where all have a blank.

    A position that is blank in some lines belongs to what is beside it, whatever that is: a text, as a rule.
    """
    if all(sign.isspace() for sign in signs):
        return ""
    return "digits" if all(sign.isdecimal() for sign in signs) else "text"


def _around_days(lines: Sequence[str], place: range) -> Iterator[range]:
    """A run of digits cut at the days in it."""
    start = place.start
    while start < place.stop:
        found = next((at for at in range(start, place.stop - _WIDTH_OF_DAY + 1) if _are_days(lines, at)), None)
        if found is None:
            yield range(start, place.stop)
            return
        if found > start:
            yield range(start, found)
        yield range(found, found + _WIDTH_OF_DAY)
        start = found + _WIDTH_OF_DAY


def _are_days(lines: Sequence[str], at: int) -> bool:
    """Do all lines have a day of our times there, or blanks, and several different ones?"""
    texts = {line[at : at + _WIDTH_OF_DAY] for line in lines}
    held = [text for text in texts if text.strip()]
    return len(held) > 1 and any(all(_is_day(text, form) for text in held) for form in _DAYS)


def _is_day(text: str, form: str) -> bool:
    found = parser(form, "date", None)(text)
    return found is not None and int(found[:4]) in _YEARS
