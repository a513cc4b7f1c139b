"""Texts of cells that are none: words by which exports say that there is no value, and what spreadsheets do to numbers.

A lot, a serial or the number of a person is text, and takes any. So that `NULL` or `1,20E+05` is never sent as one,
such a text is read as absent, or as the number that it certainly was, and the record has a warning. What may be a value
as well (`INCONNU`, `12E3`, `mars-12`) is kept, with a warning. A map's own `null` says that a word means no value,
which is then no warning.
"""

from __future__ import annotations

import re
from itertools import product

from fhirmap.records import Fault
from fhirmap.runtime.reading import Cell

__all__ = [
    "MISSING",
    "ODD_STARTS",
    "is_no_key",
    "is_no_value",
    "is_odd",
    "is_odd_day",
    "is_spreadsheet_date",
    "mended",
]

# Words that programs write for an absent value, in lower case. A surname may be Null: then the map uses `code`.
_WORDS = (
    r"null|nil|none|nan|nat|undefined|n/a|n\.a\.?|\\n|\((?:null|none|vide|blank|empty)\)|<(?:null|na)>|\[null\]|#+|#n/?[ad]"
    r"|#(?:ref|value|valeur|div/0|name|nom|num|nombre|null|nul|spill|propagation|calc|field|champ)\s?[!?]?"
    r"|[-\u2010-\u2015_]{1,3}|\?{1,3}"
)
# What a formula leaves where it was not computed: its text, or the beginning of `="…"` without the rest.
_FORMULA = r"=?[\"']+|=\"[^\"]*|=\$?[a-z]{1,3}\$?[0-9]{1,5}|=[a-z][a-z.]{1,20}\(.*\)"
_EXPONENT = r"[+-]?[0-9]+(?:[.,][0-9]+)?e\+[0-9]{1,3}|[+-]?[0-9]+[.,][0-9]+e-?[0-9]{1,3}"
_WHOLE_EXPONENT = re.compile(r"([0-9])[.,]([0-9]{7,15})[Ee]\+?([0-9]{1,2})")
"""A number of at least eight digits, which may all be there: `1.49113897061759E14`, as programs write a float."""
_BLANK = r"[\u00a0\u2007\u2009\u202f]"
_ODD = re.compile(
    rf"(?:(?P<word>{_WORDS}|(?-i:NA))|(?P<formula>{_FORMULA})|(?P<exponent>{_EXPONENT})"
    rf"|(?P<number>[0-9]{{3,}}[.,]0+|[0-9]{{1,3}}(?:{_BLANK}[0-9]{{3}})+(?:[.,]0+)?)|='?\"[^\"]*\"|=[0-9]+|'[0-9][^']*)\Z",
    re.IGNORECASE,
)

_FLAGS = ("VRAI", "FAUX", "TRUE", "FALSE")
"""What spreadsheets write for yes and no, in capitals."""
_PEOPLE = (
    *("INCONNU", "INCONNUE", "INCONNUS", "UNKNOWN", "UNK", "NON CONNU", "NOT KNOWN", "NSP", "NC", "N/C", "N.C", "N.C."),
    *("SANS", "AUCUN", "AUCUNE", "NÉANT", "NEANT", "VIDE", "EMPTY", "BLANK", "SANS LOT", "PAS DE LOT", "NO LOT"),
    *("SANS NUMERO", "SANS NUMÉRO", "SANS OBJET", "S/O", "S.O", "S.O.", "NON APPLICABLE", "NOT APPLICABLE"),
    *("ABSENT", "ABSENTE", "MANQUANT", "MANQUANTE", "MISSING", "ILLISIBLE", "TBD", "A COMPLETER", "À COMPLÉTER"),
    *("NON RENSEIGNE", "NON RENSEIGNÉ", "NON RENSEIGNEE", "NON RENSEIGNÉE", "NR", "N/R", "N.R", "N.R."),
    *("NON COMMUNIQUE", "NON COMMUNIQUÉ", "NON DISPONIBLE", "NOT AVAILABLE", "ND", "N/D", "N.D", "N.D."),
    *_FLAGS,
)
"""What people write where there is no value, and what a spreadsheet writes for yes and no; in capitals."""
_FILLED = [sign * times for sign in "0X?-_.*" for times in range(1, 16)]
"""Fields that were filled with one sign because they may not be empty."""
_FLAGS_AS_WELL = frozenset(("0", "X"))
"""Single signs that are values of many columns: a box that is ticked, a count."""
_DOUBTFUL = frozenset((*_PEOPLE, *_FILLED)) - _FLAGS_AS_WELL

_NO_KEYS = frozenset(word for word in _DOUBTFUL if word.strip("0")) - frozenset(_FLAGS)
"""What people write where a record has no key."""

MISSING = frozenset((*_PEOPLE, *_FILLED, "", "NULL", "(NULL)", "<NULL>", "[NULL]", "\\N", "NONE", "NIL", "NAN", "NAT"))
MISSING |= {"<NA>", "NA", "N/A", "N.A", "N.A.", "UNDEFINED", "#N/A", "#N/D", "#REF!", "#VALUE!", "#VALEUR!", "#NOM?"}
"""What a lot, a serial or a part of a label never is, in capitals."""

_MONTH = (
    r"jan(?:v\.?)?|f[eé]v(?:r\.?|\.)?|feb|mars?|apr|avr\.?|ma[iy]|june?|juin|jul|juil\.?|aug|ao[uû]t|sept?\.?|oct\.?|nov\.?"
    r"|d[eé]c\.?"
)
_DATE = re.compile(rf"(?:(?:{_MONTH})-[0-9]{{1,2}}|[0-9]{{1,2}}-(?:{_MONTH}))\Z", re.IGNORECASE)
_D, _M = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])"
_NUMERIC_DAY = (
    rf"(?:{_D}/{_M}|{_M}/{_D})/(?:[0-9]{{2}}|(?:19|20)[0-9]{{2}})|{_D}[.-]{_M}[.-](?:19|20)[0-9]{{2}}"
    r"|(?:19|20)[0-9]{2}[-/](?:0[1-9]|1[0-2])[-/](?:0[1-9]|[12][0-9]|3[01])"
)
_DOUBT = {
    "exponent": re.compile(r"[+-]?[0-9]+e(?:-[0-9]{1,3}|[0-9]{1,2})\Z", re.IGNORECASE),
    # Numbers of persons and establishments have more digits, and are written in groups on purpose.
    "number": re.compile(r"[0-9]{1,2}[.,]0+\Z|(?:[0-9]{1,3}|[0-9]{1,2} [0-9]{3}) [0-9]{3}(?:[.,]0+)?\Z"),
    "date": _DATE,
    "day": re.compile(
        rf"(?:{_NUMERIC_DAY}|[0-9]{{1,2}}-(?:{_MONTH})-[0-9]{{2,4}})(?: 0?0:00(?::00)?)?\Z", re.IGNORECASE
    ),
    "digit": re.compile(r"([0-9])\1{3,}\Z"),
    "blank": re.compile(rf"(?=.*[0-9])(?=.*[A-Z])[0-9A-Z./_-]{{1,11}}(?:{_BLANK}[0-9A-Z./_-]{{1,11}})\Z"),
}
"""Texts that are values as well, by what they may be."""
_INVISIBLE = {ord(sign): None for sign in "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"}


def _cases(text: str) -> list[str]:
    """``text`` in all ways of writing each letter, small or large."""
    return ["".join(signs) for signs in product(*((sign.lower(), sign.upper()) for sign in text))]


# How all these begin, by their first sign: a pattern costs as much as eight of the tests that it is asked after.
_MONTHS = ["jan", "fev", "fév", "feb", "mar", "apr", "avr", "mai", "may", "jun", "jui", "jul", "aug", "aou", "aoû"]
_MONTHS += ["sep", "oct", "nov", "dec", "déc"]
"""The beginnings of the names that `_MONTH` has."""
_LIKELY_NUMBER = re.compile(
    rf"[0-9]++(?:[.,](?:0+\Z|[0-9]+[eE])|[eE][+-]?[0-9])|[0-9]{{1,3}}(?:[ ]|{_BLANK})[0-9]{{3}}"
    rf"|[0-9]{{1,2}}-(?i:{'|'.join(_MONTHS)})|[0-9]{{1,4}}[/.-][0-9]{{1,2}}[/.-][0-9]{{2}}"
)
_AFTER_DIGITS = frozenset("-/.,eE \u00a0\u2007\u2009\u202f")
"""What these numbers have after their first digits."""
_LIKELY_SIGN = re.compile(r"[=#?\\_.*\"'\u2010-\u2015]|[+-][0-9]|-(?![0-9A-Za-z])|[(<\[][A-Za-z]")
_LIKELY_WORD = frozenset(word for word in MISSING | _DOUBTFUL if word[:1].isalpha())
# In every case, since most texts have other first signs and none of them is to be made a new text.
_WORD_STARTS = frozenset(start for word in _LIKELY_WORD for start in _cases(word[:2]))
_MONTH_STARTS = frozenset(start for month in _MONTHS for start in _cases(month))
_OF_DAYS = "0123456789-/"

_WRITTEN_SO = {"s": "sSſ", "i": "iIı"}
"""Letters that are another one in capitals."""
_DASHES = "-_\u2010\u2011\u2012\u2013\u2014\u2015"


def _starts(word: str) -> list[str]:
    """All ways of writing the first three letters of a word, so that its capitals are the word."""
    letters = [_WRITTEN_SO.get(sign.lower(), sign.lower() + sign.upper()) for sign in word[:3]]
    double = ["ß"] if word[2:4] == "SS" else []
    return ["".join(signs) for signs in product(*letters)] + [
        "".join(signs) + sign for signs in product(*letters[:2]) for sign in double
    ]


ODD_STARTS = (
    frozenset(start for word in (*_LIKELY_WORD, "[NULL]", "\\N") for start in _starts(word))
    | _MONTH_STARTS
    | frozenset("".join(signs) for length in (1, 2, 3) for signs in product(_DASHES, repeat=length))
    | frozenset(("00", *(digit * 3 for digit in "0123456789")))
)
"""The first three signs of texts that may be odd, but for those that begin with another sign than these.

Generated code looks here before it calls `is_odd` (`compiler/plain_texts.py`): a text with another beginning is not odd
where it can be printed and begins with a letter, or a sign that comes after `A`; nor where it begins with a digit and
has but letters and digits, `E` not among them."""


def is_odd(text: str) -> bool:
    """May a trimmed text of a cell need `mended`, which looks closely? Most do not, as few of their signs show.

    This is asked of every cell, so the tests come by what they cost. Answers are not kept: texts of cells name people,
    and most are there once. Generated readers keep those of catalogues and of days alone (`compiler/readers.py`).

    Example:
        >>> [is_odd(text) for text in ("A213B456", "04012345678901", "Tige fémorale", "12345.0", "1,20E+05", "NULL")]
        [False, False, False, True, True, True]
    """
    if text.isdecimal():
        return text[0] == text[-1] and len(text) > 1 and text.count(text[0]) == len(text)
    if not text.isascii() and not text.isprintable():
        return True
    first = text[0]
    if first.isalpha():
        if text[-1].isdecimal():  # no word ends so, but for `mars-12`
            return "-" in text and "-" in text[-3:-1] and text[:3] in _MONTH_STARTS
        return text[:2] in _WORD_STARTS and text.upper() in _LIKELY_WORD
    if not first.isdecimal():
        return _LIKELY_SIGN.match(text) is not None
    after = text.lstrip("0123456789")[:1]
    likely = after in _AFTER_DIGITS if text[-1].isdecimal() else after == "-"  # `12-mars`
    return likely and _LIKELY_NUMBER.match(text) is not None


def is_odd_day(text: str) -> bool:
    """The same of a text of which a rule reads a date: a day of digits is what it should hold.

    Example:
        >>> is_odd("14/03/2025"), is_odd_day("14/03/2025"), is_odd_day("99999999"), is_odd_day("1,2E+05")
        (True, False, True, True)
    """
    if text[0].isdecimal() and not text.strip(_OF_DAYS) and not text.isdecimal():
        return False
    return is_odd(text)


def mended(text: str, cell: Cell, faults: list[Fault]) -> str:
    """The text that ``text`` was before a spreadsheet; empty for a word of absence, or a number whose digits are lost.

    Each is a warning that names the column (FM459, FM460); so is a text that is kept and may be no value (FM465).

    Example:
        >>> mended('="00123"', Cell("Pose.lot", "LOT", "string", ""), [])
        '00123'
    """
    if not text.isascii():
        plain = text.translate(_INVISIBLE).strip()
        if plain != text:
            _warn("FM460", "invisible", cell, faults)
            return mended(plain, cell, faults) if plain else ""
    shape = _ODD.match(text)
    if shape is None:
        _doubt(text, cell, faults)
        return text
    whole = _WHOLE_EXPONENT.fullmatch(text)
    if whole and len(whole[2]) == int(whole[3]):
        _warn("FM460", "exponent", cell, faults)
        return whole[1] + whole[2]
    lost = "word" if shape["word"] else "torn" if shape["formula"] else "exponent" if shape["exponent"] else ""
    if lost:
        _warn("FM459", lost, cell, faults)
        return ""
    if text[0] in "='":
        held = _unwrapped(text)
        if is_no_value(held):
            return mended(held, cell, faults)
        _warn("FM460", "formula" if text[0] == "=" else "apostrophe", cell, faults)
        _doubt(held, cell, faults)
        return held
    _warn("FM460", "number", cell, faults)
    return "".join(re.split(r"[.,]", text)[0].split())


def _doubt(text: str, cell: Cell, faults: list[Fault]) -> None:
    """Warn of a text that is read as it is and may be no value."""
    word = text.upper()
    if word in _DOUBTFUL:
        variant = "" if cell.is_flag and word in _FLAGS else "word"
    else:
        variant = next((name for name, shape in _DOUBT.items() if shape.match(text)), "")
    if variant and not (cell.is_date and variant in ("date", "day")):
        _warn("FM465", variant, cell, faults)


def is_no_value(text: str) -> bool:
    """Is a trimmed text a word that programs write for an absent value, or a number without its digits? As a key it
    would make one record of many.

    Example:
        >>> is_no_value("NULL"), is_no_value("1,20E+05"), is_no_value("1042")
        (True, True, False)
    """
    if not text or not is_odd(text):
        return False
    if not text.isascii():
        text = text.translate(_INVISIBLE).strip()
    shape = _ODD.match(text)
    if shape is None:
        return not text
    whole = _WHOLE_EXPONENT.fullmatch(text)
    if whole and len(whole[2]) == int(whole[3]):
        return False
    if shape["word"] or shape["formula"] or shape["exponent"]:
        return True
    return text[0] in "='" and is_no_value(_unwrapped(text))


def _unwrapped(text: str) -> str:
    """The text in `="…"`, or after an apostrophe."""
    return text.strip("='\"").strip()


def is_no_key(text: str) -> bool:
    """Is a trimmed text no key of a record: no value (`is_no_value`), or what people write where there is none?

    Zeros alone and yes and no may be a part of a key.

    Example:
        >>> is_no_key("NULL"), is_no_key("inconnu"), is_no_key("XXXX"), is_no_key("00"), is_no_key("1042")
        (True, True, True, False, False)
    """
    return is_no_value(text) or text.upper() in _NO_KEYS


def is_spreadsheet_date(text: str) -> bool:
    """Is the text what a spreadsheet makes of `3-12`, a month and a number, in the letter case that it writes?

    Example:
        >>> is_spreadsheet_date("mars-12"), is_spreadsheet_date("12-Mar"), is_spreadsheet_date("MAR-12")
        (True, True, False)
    """
    return text != text.upper() and _DATE.match(text) is not None


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
