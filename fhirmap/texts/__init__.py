"""Every text that a person reads, by key, in English and in French.

One TOML file per area (``en/hints.toml``, ``fr/hints.toml``) holds the texts of the keys ``hints.…``. A text is a
`str.format` template, or a table with ``one`` and ``other``, chosen by the argument ``count``. The pages of the
diagnostic codes are a catalogue of their own (`fhirmap.diagnostics.catalog`) in the same languages.

The language is what the caller chose (`use_language`, ``--lang``), else ``FHIRMAP_LANG``, else the locale of the
environment (``LC_ALL``, ``LC_MESSAGES``, ``LANG``), else English. It is looked up when a text is shown, never when a
value is made, so that a diagnostic can be shown in any language.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from errno import errorcode
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "fr")
"""Languages with a complete catalogue; the first is the default."""
VARIABLE = "FHIRMAP_LANG"
"""The variable of the environment that names the language."""
_VARIABLES = (VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG")
_SHORT = 13
"""Signs without which a text holds no number of a person."""
_chosen: ContextVar[str | None] = ContextVar("fhirmap_language", default=None)


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is not yet in a language: its key and arguments. ``str()`` gives it in the current language.

    An argument may be a `Text` itself, or a number or name shown as it is.

    Example:
        >>> with language_of("fr"):
        ...     str(Text("hints.did_you_mean", {"name": "udi"}))
        'vouliez-vous dire `udi`\\xa0?'
    """

    key: str
    args: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return text(self.key, **self.args)


@dataclass(frozen=True, slots=True)
class Listing:
    """Several texts as one: separated by commas, the last one by the word ``joint`` (a key) where there is one.

    Example:
        >>> str(Listing(("`,`", "`;`", Text("lists.nothing")), joint="lists.or"))
        '`,`, `;` or nothing'
    """

    parts: tuple[object, ...]
    joint: str = ""

    def __str__(self) -> str:
        shown = [str(shown_argument("", part)) for part in self.parts]
        if not self.joint or len(shown) < 2:
            return ", ".join(shown)
        return f"{', '.join(shown[:-1])} {text(self.joint)} {shown[-1]}"


def text(key: str, /, **args: object) -> str:
    """The text ``key`` in the current language, filled with ``args``.

    Raises:
        KeyError: no catalogue has the key.
    """
    template = template_of(key, language())
    if isinstance(template, Mapping):
        template = template[_number(args.get("count"), language())]
    return template.format(**{name: shown_argument(name, value) for name, value in args.items()})


def shown_argument(name: str, value: object) -> object:
    """An argument of a template as it is shown: the texts of others on one line, numbers of persons by their hash."""
    if not isinstance(value, str) or (len(value) < _SHORT and value.isascii() and value.isprintable()):
        return value
    from fhirmap.texts.shown_keys import shown_key, shown_words

    return shown_key(value) if name == "key" else shown_words(value)


def first_names(names: Sequence[str], count: int | None = None, *, most: int = 6) -> str:
    """The first of ``count`` names (those given, unless there are more than that), and how many more there are.

    Example:
        >>> first_names(["a", "b", "c"], 5, most=2)
        'a, b and 3 more'
    """
    shown = [str(shown_argument("key", name)) for name in names[:most]]
    listed, more = ", ".join(shown), (len(names) if count is None else count) - len(shown)
    return text("lists.names_and_more", names=listed, count=more) if more > 0 else listed


def optional_text(key: str) -> str:
    """The text ``key`` without arguments; empty where the current language has none, for what is worded elsewhere."""
    try:
        return text(key)
    except (KeyError, FileNotFoundError):
        return ""


class FileRefused(OSError):
    """A file that fhirmap does not read, for the reason given: it is too large, or no file."""

    def __init__(self, reason: Text) -> None:
        super().__init__()
        self.reason = reason


def os_reason(error: OSError, otherwise: str = "not_possible") -> Text:
    """Why the operating system refused, in the current language for what people meet, else in the system's own words;
    of a `FileRefused`, its own reason.

    ``otherwise``: the key of the area ``system`` where the system says nothing.
    """
    if isinstance(error, FileRefused):
        return error.reason
    name = errorcode.get(error.errno or 0, "")
    if name in catalogue("system", LANGUAGES[0]):
        return Text(f"system.{name}")
    return Text("system.other", {"words": error.strerror}) if error.strerror else Text(f"system.{otherwise}")


def language() -> str:
    """Code of the current language: one of `LANGUAGES`."""
    chosen = _chosen.get()
    return chosen if chosen is not None else _of_surroundings()


def use_language(code: str) -> None:
    """Show texts in the language ``code`` from now on, in this context.

    Raises:
        ValueError: there is no catalogue of that language.
    """
    if code not in LANGUAGES:
        raise ValueError(code)
    _chosen.set(code)


@contextmanager
def language_of(code: str) -> Iterator[None]:
    """Show texts in the language ``code`` inside a ``with`` block."""
    token = _chosen.set(code)
    try:
        yield
    finally:
        _chosen.reset(token)


def template_of(key: str, code: str) -> str | Mapping[str, str]:
    """The template ``key`` of one language.

    Raises:
        KeyError: the catalogue of that language lacks the key.
    """
    area, _, rest = key.partition(".")
    found: object = catalogue(area, code)
    for part in rest.split("."):
        if not isinstance(found, Mapping) or part not in found:
            raise KeyError(f"{code}: {key}")
        found = found[part]
    if isinstance(found, str) or (isinstance(found, Mapping) and found.keys() == {"one", "other"}):
        return found
    raise KeyError(f"{code}: {key}")


@cache
def catalogue(area: str, code: str) -> Mapping[str, object]:
    """All texts of one area in one language, nested as its file nests them."""
    return tomllib.loads(files(__package__).joinpath(code, f"{area}.toml").read_text(encoding="utf-8"))


def areas() -> tuple[str, ...]:
    """Names of all areas, in order."""
    folder = files(__package__).joinpath(LANGUAGES[0])
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def _number(count: object, code: str) -> str:
    """Which form a count takes: French says 0 in the singular, English in the plural."""
    if code == "fr":
        return "one" if count in (0, 1) else "other"
    return "one" if count == 1 else "other"


def _of_surroundings() -> str:
    for name in _VARIABLES:
        value = os.environ.get(name, "").strip()
        if value:
            code = value.replace("-", "_").partition("_")[0].partition(".")[0].lower()
            return code if code in LANGUAGES else LANGUAGES[0]
    return LANGUAGES[0]
