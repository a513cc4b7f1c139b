"""Which line of a file holds the names of its columns, and whether it does: a line of data would be shown as names.

What is proof either way, the strongest first: the names that the map reads; values that no name looks like (a person's
number, a date); whether the lines below have the same forms.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from fhirmap.sources import names as naming
from fhirmap.sources.column_words import has_column_word
from fhirmap.sources.data_signs import DataSign, bare, data_sign
from fhirmap.sources.documents import column_and_path

__all__ = ["names_line", "signs_of_data"]

_PERSONAL = frozenset((DataSign.PERSON_NUMBER, DataSign.LONG_NUMBER, DataSign.ADDRESS))
"""What no table has as a name, whatever is below it."""
_MOST_BELOW = 50
"""Lines that are compared."""
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_RUNS = re.compile(r"[0-9]+|[^\W\d_]+(?:['’.\-\s]+[^\W\d_]+)*")
"""Numbers, and words with what joins those of a person's name: `DUVAL-ROY`, `D'ARC` and `LE GOFF` are one word."""
_WHOLE = re.compile(r"[+-]?[0-9]+")


@dataclass(slots=True)
class _Column:
    """A text of the line, and what is below it."""

    text: str
    sign: DataSign | None
    below: list[str]

    @property
    def is_alike(self) -> bool:
        """Does something below have the same form?"""
        return _form(self.text) in {_form(cell) for cell in self.below}

    @property
    def differs(self) -> bool:
        """Is there something below, and always of another form than the text?"""
        return bool(self.below) and not self.is_alike

    @property
    def recurs(self) -> bool:
        """Is the text below again? The name of a column hardly is among its values."""
        return self.text in self.below

    @property
    def is_certain(self) -> bool:
        """Is it alike in a form that names do not share with values: with digits, or the same text again?"""
        return self.is_alike and (any(sign.isdecimal() for sign in self.text) or self.recurs)

    @property
    def is_written_alike(self) -> bool:
        """Does something below begin with a word in the same letters: `MARTIN`, `Martin` or `martin`?"""
        return _case(self.text) in map(_case, self.below)


def signs_of_data(
    cells: Sequence[str], needed: Collection[str] = (), below: Iterable[Sequence[str]] = ()
) -> tuple[DataSign, ...]:
    """What shows that a line holds data and no names, the best sign first; empty where it may hold the names.

    ``needed``: the columns that a map reads; a line that has half of them holds the names. ``below``: the lines after
    it, of which some are looked at: a date above dates is data, above counts it is a day's column.

    Example:
        >>> [sign.value for sign in signs_of_data(["1", "MARTIN", "03/11/1949"])], signs_of_data(["id", "nom", "2024"])
        (['date'], ())
    """
    if needed and 2 * _count_found(cells, needed) >= len(needed):
        return ()
    # The names may come again further down: on each page of an export.
    compared = (line for line in below if list(line) != list(cells))
    columns = _columns(cells, list(islice(compared, _MOST_BELOW)))
    comparable = [column for column in columns if column.below]
    differing = sum(column.differs for column in comparable)
    is_different = 2 * differing >= len(comparable) > 0
    found = [sign for column in columns if (sign := _sign_in_place(column, is_different=is_different))]
    # Names occur twice in real files; in a line of data, one side or one code is the same in several columns.
    if not is_different and len({naming.fold(column.text) for column in columns}) < len(columns):
        found.append(DataSign.REPEATED)
    if _is_like_below(comparable, differing):
        found.append(DataSign.LIKE_BELOW)
    if not comparable and not found and _may_be_people(columns):
        found.append(DataSign.ALONE)
    return tuple(sign for sign in DataSign if sign in found)


def _is_like_below(comparable: Sequence[_Column], differing: int) -> bool:
    """Is the line one of those below it? ``comparable``: its columns that are filled below; ``differing``: how many of
    them are so in other forms.

    Words above words in the same letters may be names, if one of them is a word for a column.
    """
    if not differing and any(column.is_certain for column in comparable):
        return True
    is_one_of_them = comparable and not differing and all(column.is_written_alike for column in comparable)
    recurring = sum(column.recurs for column in comparable)
    if not is_one_of_them and recurring <= differing:
        return False
    return not has_column_word(column.text for column in comparable)


def _may_be_people(columns: Sequence[_Column]) -> bool:
    """Has a word a capital, as the names of people have, and is none a word for a column?"""
    texts = [column.text for column in columns]
    return any(text[:1].isupper() and len(text) > 1 for text in texts) and not has_column_word(texts)


def _sign_in_place(column: _Column, *, is_different: bool) -> DataSign | None:
    """The sign of a text, if what is below does not speak against it. ``is_different``: most of the line does."""
    sign = column.sign
    if sign in _PERSONAL:
        return sign
    if sign is DataSign.LONG_TEXT:
        return None if is_different else sign
    if sign is not None:
        alike = not column.below or any(data_sign(cell) is sign for cell in column.below)
        return sign if alike else None
    is_number = _WHOLE.fullmatch(column.text) and not _YEAR.fullmatch(column.text)
    return DataSign.NUMBER if is_number and not is_different and (column.is_alike or not column.below) else None


def names_line(lines: Sequence[Sequence[str]], needed: Collection[str] = ()) -> int | None:
    """Where among the first lines of a file the names are, from 0; None where no line looks like them.

    With ``needed``, the first line that has the most of them, if that is half of them or more. Else the first line that
    is as wide as those below it, and differs from them as names differ from values; lines of a title are narrower.

    Example:
        >>> lines = [["Extraction du bloc"], ["id", "nom"], ["1", "MARTIN"], ["2", "PETIT"]]
        >>> names_line(lines), names_line(lines[2:]), names_line(lines, ["ID", "nom", "lot"])
        (1, None, 1)
    """
    if needed:
        counts = [_count_found(cells, needed) for cells in lines]
        most = max(counts, default=0)
        return counts.index(most) if most and 2 * most >= len(needed) else None
    widths = [sum(bool(bare(cell)) for cell in cells) for cells in lines]
    start = _start_of_table(widths)
    below_blank = _guessed(lines[start:], widths[start:]) if start else None
    return _guessed(lines, widths) if below_blank is None else start + below_blank


def _start_of_table(widths: Sequence[int]) -> int:
    """Where the most lines without a blank one between them begin: a title is often followed by a blank line."""
    starts = [place for place, width in enumerate(widths) if width and not (place and widths[place - 1])]
    ends = [place for place, width in enumerate(widths, 1) if width and not any(widths[place : place + 1])]
    lengths = [end - start for start, end in zip(starts, ends, strict=True)]
    return starts[lengths.index(max(lengths))] if lengths else 0


def _guessed(lines: Sequence[Sequence[str]], widths: Sequence[int]) -> int | None:
    """The line that looks like the names of what is below it. ``widths``: cells that each line fills."""
    usual = _usual(widths)
    wide = [place for place, width in enumerate(widths) if width and 5 * width >= 3 * usual]
    odd = None
    is_among_rows = False
    for place in wide:
        below = [lines[other] for other in wide if other > place]
        if signs := signs_of_data(lines[place], (), below):
            is_among_rows |= DataSign.LIKE_BELOW in signs
            continue
        if is_among_rows and not has_column_word(lines[place]):
            continue  # a row that happens to be unlike the others
        are_words, is_above_others = _words_above(lines[place], below)
        if are_words and (place == wide[0] or is_above_others):
            return _nearest_to_values(lines, [other for other in wide if other >= place])
        odd = place if place == wide[0] else odd
    return odd


def _nearest_to_values(lines: Sequence[Sequence[str]], wide: Sequence[int]) -> int:
    """The first of the lines ``wide``, or a later one of words that is more unlike what is below both.

    A title of as many words as there are columns, such as a patient's name, is above the names. A first row of words is
    below them: so the later line has words above numbers or dates, which a row would have too.
    """
    best = wide[0]
    for index, place in enumerate(wide[1:], 1):
        below = [lines[other] for other in wide[index + 1 :]]
        are_words, is_above_others = _words_above(lines[place], below)
        if not are_words:
            break
        is_above_figures = any(
            column.below and all(map(_is_figure, column.below)) for column in _columns(lines[place], below)
        )
        is_nearer = _unlike(lines[place], below) > _unlike(lines[best], below)
        if is_above_others and is_above_figures and is_nearer and not signs_of_data(lines[place], (), below):
            best = place
    return best


def _is_figure(text: str) -> bool:
    return data_sign(text) is not None or _WHOLE.fullmatch(text) is not None


def _unlike(cells: Sequence[str], below: Sequence[Sequence[str]]) -> tuple[int, bool]:
    """How many texts differ from all below them; people are written in capitals more often than names of columns."""
    return sum(column.differs for column in _columns(cells, below)), any(bare(cell).islower() for cell in cells)


def _usual(widths: Sequence[int]) -> int:
    """How many cells most lines fill; of several such numbers, the greatest."""
    counts = Counter(width for width in widths if width)
    return max(counts, key=lambda width: (counts[width], width), default=0)


def _words_above(cells: Sequence[str], below: Sequence[Sequence[str]]) -> tuple[bool, bool]:
    """Are these words only, and are they above values of other forms?

    Another line of data is no line of names for want of a date.
    """
    columns = _columns(cells, below)
    are_words = all(column.sign is None and not _WHOLE.fullmatch(column.text) for column in columns)
    return are_words, 2 * sum(column.differs for column in columns) >= len(columns)


def _columns(cells: Sequence[str], below: Sequence[Sequence[str]]) -> list[_Column]:
    """The filled columns of a line."""
    found = []
    for place, cell in enumerate(cells):
        text = bare(cell)
        if text:
            texts = [bare(line[place]) for line in below if place < len(line)]
            found.append(_Column(text, data_sign(cell), [other for other in texts if other]))
    return found


def _count_found(cells: Sequence[str], needed: Collection[str]) -> int:
    """How many of the columns that are read the line names."""
    return sum(column_and_path(name, cells) is not None for name in needed)


def _form(text: str) -> str:
    """A text with its digits and words as kinds: `2025-A12` and `2024-B7` are alike, and `MARTIN` and `LE GOFF`."""
    sign = data_sign(text)
    if sign is not None:
        return sign.value

    def kind(run: re.Match[str]) -> str:
        part = run[0]
        return "0" if part[0].isdecimal() else "A" if part.isupper() else "a"

    return _RUNS.sub(kind, " ".join(text.split()))


def _case(text: str) -> str:
    """In which letters the first word is."""
    word = next(iter(text.split()), "")
    return "A" if word.isupper() else "a" if word.islower() else "Aa"
