"""The tests that generated readers make in place: no text that `mended` would look at passes them."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import product

import pytest

from fhirmap.compiler.plain_texts import odd_day, odd_text
from fhirmap.compiler.python import Expr, Name
from fhirmap.records import Fault
from fhirmap.runtime import cell_text
from fhirmap.runtime.cell_text import mended
from fhirmap.runtime.reading import Cell

CELL = Cell("Pose.lot", "LOT", "string", "")
DAY = Cell("Pose.expiry", "EXPIRY", "string", "", is_date=True)
WORDS = (
    *(
        "NULL",
        "None",
        "nan",
        "n/a",
        "N.A.",
        "\\N",
        "(null)",
        "<NA>",
        "[Null]",
        "#N/A",
        "#VALEUR !",
        "-",
        "--",
        "–—_",
        "___",
    ),
    *(
        "???",
        "NA",
        "inconnu",
        "Néant",
        "à compléter",
        "pas de lot",
        "MISSING",
        "illisible",
        "vrai",
        "xxxx",
        "XX",
        "00",
        ".",
    ),
    *(
        "0000",
        "1111",
        "7777777",
        '="00123"',
        "='12",
        "=12",
        "=A12",
        "=SUM(A1)",
        "'0123",
        '"',
        "1,20E+05",
        "1.5e3",
        "12E3",
    ),
    *(
        "1.49113897061759E14",
        "12345.0",
        "1 234 567",
        "1\u00a0234",
        "2.0",
        "mars-12",
        "12-mars",
        "Déc-4",
        "sept.-12",
        "MAY-1",
    ),
    *(
        "14/03/2025",
        "2025-03-14",
        "1.3.2025",
        "14-mars-25",
        "2025-03-14 00:00",
        "A12 B34",
        "A12\u00a0B34",
        "L\u200b1",
        "\ufeff12",
    ),
    *("4,5E-3", "1E5", "+1", "-1", "*", "**", "----", "....", "12,00", "12\u202f345,00", "12A\u200b"),
)
PLAIN: tuple[str, ...] = (
    "A213B456",
    "L0000011",
    "04012345678901",
    "010401234567890117290630" + "10L0000011",
    "Composant fémoral n° 3",
)
PLAIN += ("REF-CUP", "Fabricant 3", "2540629953007", "990000127", "7", "S42", "ZIMMER BIOMET")
SIGNS = "0123456789eEaAnNuUlLxXsSıſß.,-_/'\"=#?+* ()[]<>\\é–\u00a0\u200b\u202f²٣ﬁ"


def evaluated(expression: Callable[[Name], Expr], **names: object) -> Callable[[str], bool]:
    """The expression as generated code has it."""
    code = compile(str(expression(Name("value"))), "test", "eval")
    held = {**vars(cell_text), **names}
    return lambda text: bool(eval(code, held, {"value": text}))


def leaves_alone(text: str, cell: Cell) -> bool:
    """Does the runtime say and change nothing?"""
    faults: list[Fault] = []
    is_odd = cell_text.is_odd_day if cell.is_date else cell_text.is_odd
    return not is_odd(text) or (mended(text, cell, faults) == text and not faults)


def written_otherwise(word: str) -> Iterator[str]:
    """A word in other letter cases, with one of its signs replaced by each that there is, and with more around it."""
    yield from (word, word.lower(), word.upper(), word.title(), word.swapcase(), f"{word}1", f"1{word}", f"{word}.")
    for place, sign in product(range(len(word)), SIGNS):
        yield word[:place] + sign + word[place + 1 :]


def all_texts() -> Iterable[str]:
    """Texts that are odd, and their neighbours; made-up ones of the signs that odd ones have."""
    for word in (*WORDS, *PLAIN, *sorted(cell_text.MISSING), *sorted(cell_text._DOUBTFUL)):
        yield from written_otherwise(word)
    draw = random.Random(20261130)
    for _ in range(60_000):
        yield "".join(draw.choices(SIGNS, k=draw.randrange(1, 9)))
    for _ in range(20_000):
        yield "".join(draw.choices("0123456789/-., eE", k=draw.randrange(1, 12)))


@pytest.mark.parametrize(("expression", "cell"), [(odd_text, CELL), (odd_day, DAY)], ids=["text", "day"])
def test_no_text_passes_that_is_looked_at_closely(expression: Callable[[Name], Expr], cell: Cell) -> None:
    is_odd = evaluated(expression)
    trimmed = {text.strip() for text in all_texts()} - {""}
    missed = {text for text in trimmed if not is_odd(text)}
    assert len(missed) > 10_000
    assert [text for text in sorted(missed) if not leaves_alone(text, cell)] == []


def test_letters_that_are_others_in_capitals_are_no_way_round_a_word() -> None:
    is_odd = evaluated(odd_text)
    others: dict[str, list[str]] = {}
    for sign in map(chr, range(128, sys.maxunicode + 1)):
        if sign.upper().isascii() and sign.upper().isalpha():
            others.setdefault(sign.upper(), []).append(sign)
    words = [word for word in cell_text.MISSING | cell_text._DOUBTFUL if word[:1].isalpha()]
    texts = {
        word[:place] + sign + word[place + len(upper) :]
        for word in words for upper, signs in others.items() for sign in signs
        for place in range(len(word)) if word.startswith(upper, place)
    }  # fmt: skip
    assert len(texts) > 50
    assert [text for text in sorted(texts) if not is_odd(text) and not leaves_alone(text, CELL)] == []


def test_most_texts_need_no_call() -> None:
    """What stays for the runtime is said by a function that fails."""

    def asked(text: str) -> bool:
        raise AssertionError(text)

    is_odd, is_odd_day = evaluated(odd_text, is_odd=asked), evaluated(odd_day, is_odd_day=asked)
    assert not any(map(is_odd, ("", *PLAIN)))
    assert not any(map(is_odd_day, ("", "2029-06-30", "30/06/2029", "3/6/29")))
