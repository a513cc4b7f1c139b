"""Texts of cells that are none: words by which exports say that there is no value, and what spreadsheets do to numbers.

A lot, a serial or the number of a person is text, and takes any. So that `NULL` or `1,20E+05` is never sent as one,
such a text is read as absent, or as the number that it certainly was, and the record has a warning. A map's own `null`
says that a word means no value, which is then no warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fhirmap.records import Fault
from fhirmap.runtime.reading import Cell

__all__ = ["is_odd", "mended"]

_WORDS = (
    r"null|nil|none|nan|nat|undefined|n/a|n\.a\.?|\\n|\((?:null|none|vide|blank|empty)\)|<(?:null|na)>|\[null\]|#+|#n/?a"
    r"|#(?:ref|value|valeur|div/0|name|nom|num|nombre|null|nul|spill|propagation|calc|field|champ)\s?[!?]?"
    r"|[-\u2010-\u2015_]{1,3}|\?{1,3}"
)
_EXPONENT = r"[0-9](?:[.,][0-9]+)?e\+[0-9]{1,3}|[0-9][.,][0-9]+e-[0-9]{1,3}"
_ODD = re.compile(
    rf"(?:(?P<word>{_WORDS}|(?-i:NA))|(?P<exponent>{_EXPONENT})|[0-9]{{3,}}[.,]0+|='?\"[^\"]*\"|=[0-9]+|'[0-9][^']*)\Z",
    re.IGNORECASE,
)
# The same texts and a few more, by how they begin: without the letter case, which cost a pattern six times as much.
_LIKELY = re.compile(
    r"[0-9](?:[0-9]*+[.,]0|(?:[.,][0-9]+)?[eE][+-])|[=#?\\_\u2010-\u2015]|'[0-9]|-(?![0-9A-Za-z])|[(<\[][A-Za-z]"
    r"|[nN](?:[aA](?:[nNtT]|\Z)|[iIuU][lL]|[oO][nN]|[./])|[uU][nN][dD]"
)
is_odd: Callable[[str], object] = _LIKELY.match
"""May a trimmed text of a cell need `mended`, which looks closely? Most do not."""


def mended(text: str, cell: Cell, faults: list[Fault]) -> str:
    """The text that ``text`` was before a spreadsheet; empty for a word of absence, or a number whose digits are lost.

    Each is a warning that names the column (FM459, FM460).

    Example:
        >>> mended('="00123"', Cell("Pose.lot", "LOT", "string", ""), [])
        '00123'
    """
    shape = _ODD.match(text)
    if shape is None:
        return text
    if shape["word"] or shape["exponent"]:
        _warn("FM459", "word" if shape["word"] else "exponent", cell, faults)
        return ""
    if text[0] in "='":
        _warn("FM460", "formula" if text[0] == "=" else "apostrophe", cell, faults)
        return text.strip("='\"").strip()
    _warn("FM460", "number", cell, faults)
    return re.split(r"[.,]", text)[0]


def _warn(code: str, variant: str, cell: Cell, faults: list[Fault]) -> None:
    faults.append(
        Fault(
            code,
            severity="warning",
            path=cell.element,
            element=cell.element,
            rule="text",
            args={"column": cell.column},
            variant=variant,
            position=cell.position,
            columns=(cell.column,),
        )
    )
