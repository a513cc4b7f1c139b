"""What shows that a text is a value rather than a name: of a column, a key of an object, an element.

Where a name is expected and a value is, the value may be a patient's: it is never shown, only the kind of the sign is.
"""

from __future__ import annotations

import re
from enum import StrEnum

from fhirmap.texts import Text

__all__ = ["LONGEST_NAME", "DataSign", "bare", "data_sign"]

LONGEST_NAME = 40
"""Characters of a name. Longer ones exist; most texts that are longer are remarks of people."""


class DataSign(StrEnum):
    """What makes a text, or a line of texts, look like data; what shows it best comes first.

    ``LIKE_BELOW``: the line has the same forms as the lines below it. ``REPEATED``: a text occurs twice in the line.
    ``ALONE``: nothing is below the line, and its words are in capitals as those of people are, and name no column.
    """

    PERSON_NUMBER = "person_number"
    LONG_NUMBER = "long_number"
    DATE = "date"
    ADDRESS = "address"
    LONG_TEXT = "long_text"
    DECIMAL = "decimal"
    NUMBER = "number"
    REPEATED = "repeated"
    LIKE_BELOW = "like_below"
    ALONE = "alone"

    @property
    def shown(self) -> Text:
        """What there is, in words: `a date`."""
        return Text(f"signs.{self.value}")


_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
_GROUPING = re.compile(r"[\s.\-/_]")
_PERSON_NUMBER = re.compile(r"[1-8][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6}(?:[0-9]{2})?")
"""A number of the French social security, its key with it or not: sex, year, month, place, order."""
_HIDDEN_PERSON_NUMBER = re.compile(r"(?<![0-9A-Z])[1-8][0-9]{4}2[AB][0-9]{6}(?![A-Z])")
"""A Corsican one inside a text: it has no run of 12 digits."""
_MONTHS = (
    r"(?:janv?(?:ier)?|f[ée]v(?:r(?:ier)?)?|mars?|avr(?:il)?|mai|juin|juil(?:let)?|ao[ûu]t?|sept?(?:embre)?"
    r"|oct(?:obre)?|nov(?:embre)?|d[ée]c(?:embre)?|jan(?:uary)?|feb(?:ruary)?|march|apr(?:il)?|may|june?|july?"
    r"|aug(?:ust)?|october|december)"
)
_DAY = (
    r"(?:[0-3]?[0-9]([/.\-\s])[01]?[0-9]\1(?:[0-9]{4}|[0-9]{2})"
    r"|[0-9]{4}([/.\-\s])[01]?[0-9]\2[0-3]?[0-9]"
    r"|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])(?:19|20)[0-9]{2}"
    rf"|[0-3]?[0-9](?:er)?[\s.\-]+{_MONTHS}\.?[\s.\-]+(?:[0-9]{{4}}|[0-9]{{2}}))"
)
_CLOCK = r"(?:[0-2]?[0-9]\s?[:h]\s?[0-5][0-9](?:\s?[:m]\s?[0-5][0-9](?:[.,][0-9]+)?)?s?)"
_ZONE = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})"
_DATE = re.compile(rf"{_DAY}(?:[\sT,à]*{_CLOCK}\s?{_ZONE}?|(?<=[0-9]{{8}})(?:[0-9]{{4}}|[0-9]{{6}}))?", re.IGNORECASE)
_DATES_INSIDE = re.compile(rf"(?<![0-9]){_DAY}(?![0-9])", re.IGNORECASE)
_PERIOD = re.compile(
    r"(?:19|20)[0-9]{2}\s?[/.\-]?\s?(?:0[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])\s?[/.\-]\s?(?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2}\s?[/\-]\s?(?:19|20)[0-9]{2}"
)
"""`01/2025`, `202501`, `2024-2025`: months and years are the names of columns in many tables."""
_DECIMAL = re.compile(
    r"[+-]?(?:[0-9]{1,3}(?:[\s'.][0-9]{3})+|[0-9]+)?[.,][0-9]+(?:[Ee][+-]?[0-9]{1,3})?\s?(?:[%€$£]|EUR)?"
    r"|[0-9]+[Ee]\+?[0-9]{1,3}",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}")


def bare(cell: str) -> str:
    """The text without what spreadsheets and copying put around it: blanks, `="…"`, an apostrophe, invisible signs.

    Example:
        >>> bare('="0012"'), bare("'0012"), bare("0012\\u200b ")
        ('0012', '0012', '0012')
    """
    text = " ".join(_INVISIBLE.sub("", cell).split())
    formula = _FORMULA.fullmatch(text)
    text = formula[1] if formula else text
    return text.strip("'’\" ")


def data_sign(cell: str) -> DataSign | None:
    """Why a text is a value, whatever is around it; None where it may be a name.

    A year, a month or a small number may be a name: `2024`, `01/2025`, `LPP 2025`, `12`.

    Example:
        >>> [data_sign(text) for text in ("N° 12", "2024", "LPP 2025", "01/2025", "Date de naissance")]
        [None, None, None, None, None]
        >>> data_sign("03/11/1949").value, data_sign("1 49 11 38 970 617 59").value, data_sign("12,50").value
        ('date', 'person_number', 'decimal')
    """
    text = bare(cell)
    digits = sum(sign.isdecimal() for sign in text)
    if digits < 2:
        return _of_words(text)
    compact = _GROUPING.sub("", text).upper()
    # Of a timestamp, all digits are in the right places of a person's number too.
    if _DATE.fullmatch(text):
        return DataSign.DATE
    if _PERSON_NUMBER.fullmatch(compact) or _HIDDEN_PERSON_NUMBER.search(compact):
        return DataSign.PERSON_NUMBER
    without_days = _DATES_INSIDE.sub("", text)
    if sum(sign.isdecimal() for sign in without_days) >= 12:
        return DataSign.LONG_NUMBER
    if without_days != text and digits - sum(sign.isdecimal() for sign in without_days) >= 6:
        return DataSign.DATE
    if _PERIOD.fullmatch(text):
        return None
    if _DECIMAL.fullmatch(text):
        return DataSign.DECIMAL
    if digits >= 6 and compact.isdecimal():
        return DataSign.NUMBER
    return _of_words(text)


def _of_words(text: str) -> DataSign | None:
    if _ADDRESS.fullmatch(text):
        return DataSign.ADDRESS
    return DataSign.LONG_TEXT if len(text) > LONGEST_NAME else None
