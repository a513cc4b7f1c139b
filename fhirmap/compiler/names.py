"""Safe Python: identifiers, literals, and `Code`, the one kind of string that may be printed into a module."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from markupsafe import Markup

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAKEN = frozenset((*keyword.kwlist, *keyword.softkwlist, *dir(builtins)))


class Code(Markup):
    """Python text of the compiler's own making. Jinja's autoescape leaves it alone and refuses every other string."""

    __slots__ = ()


class Name(Code):
    """A Python identifier."""

    __slots__ = ()

    def __new__(cls, text: str) -> Name:
        """Check that ``text`` is nothing but an identifier."""
        if not _IDENTIFIER.fullmatch(text) or keyword.iskeyword(text):
            raise ValueError(f"not an identifier: {text!r}")
        return super().__new__(cls, text)


def literal(value: object) -> Code:
    """``value`` as a Python literal; decimals keep their digits, sets are sorted.

    Example:
        >>> literal("l'été"), literal(Decimal("1.50"))
        (Code('"l\\'été"'), Code("Decimal('1.50')"))
    """
    if isinstance(value, Code):
        return value
    if value is None or isinstance(value, str | bool | int):
        return Code(repr(value))
    if isinstance(value, Decimal):
        return Code(f"Decimal({str(value)!r})")
    if isinstance(value, tuple):
        comma = "," if len(value) == 1 else ""
        return Code(f"({', '.join(literal(entry) for entry in value)}{comma})")
    if isinstance(value, list):
        return Code(f"[{', '.join(literal(entry) for entry in value)}]")
    if isinstance(value, frozenset | set):
        return Code(f"frozenset(({''.join(literal(entry) + ', ' for entry in sorted(value))}))")
    if isinstance(value, Mapping):
        return Code(f"{{{', '.join(f'{literal(key)}: {literal(entry)}' for key, entry in value.items())}}}")
    raise TypeError(f"no literal for {type(value).__name__}")


def code(template: str, *parts: object) -> Code:
    """``template`` with each ``{}`` filled: code as it stands, everything else as a literal.

    Example:
        >>> code("{}.get({})", Name("src"), "nir")
        Code("src.get('nir')")
    """
    return Code(template.format(*(literal(part) for part in parts)))


def join(parts: Iterable[Code], separator: str = ", ") -> Code:
    """Several pieces of code with a separator of ours between them."""
    return Code(separator.join(parts))


class Names:
    """Identifiers of one scope, each given once; FML names keep their case."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, wanted: str) -> Name:
        """``wanted`` as an identifier, numbered where the scope or Python has it already.

        Example:
            >>> names = Names()
            >>> names.take("class"), names.take("a-b"), names.take("a_b")
            (Name('class_'), Name('a_b'), Name('a_b_2'))
        """
        base = re.sub(r"[^A-Za-z0-9_]", "_", wanted).lstrip("_") or "value"
        if base[0].isdigit():
            base = f"n_{base}"
        if base in _TAKEN:
            base += "_"
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return Name(name)

    def mark(self) -> frozenset[str]:
        """What is taken now, to `release` what comes after."""
        return frozenset(self._taken)

    def release(self, mark: frozenset[str]) -> None:
        """Let names taken since ``mark`` be taken again: their scope has ended."""
        self._taken = set(mark)

    def inner(self) -> Names:
        """A scope within this one."""
        return Names(self._taken)


def snake_case(text: str) -> str:
    """`PoseDMI` as `pose_dmi`: how our own functions are spelt."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return re.sub(r"[^A-Za-z0-9]+", "_", spaced).strip("_").lower() or "model"
