"""A TOML file read strictly: every key asked for by name and type, what is left over reported, each fault with its
place.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from fhirmap.bounded_files import MOST_SETTINGS_BYTES, read_bounded
from fhirmap.diagnostics import Diagnostic, MapText, Span, listed, suggestion
from fhirmap.errors import ConfigError
from fhirmap.runner.secret import Secret
from fhirmap.runner.toml_secrets import hide_secrets
from fhirmap.texts import Text, os_reason

_HEADER = re.compile(r"\s*\[\[?\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_NAME = r"""(?:"[^"\n]*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_KEY = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")
_PART = re.compile(r""""([^"\n]*)"|'([^'\n]*)'|([A-Za-z0-9_-]+)""")
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)")

_MOST_NUMBER = 1_000_000_000
"""Of any setting: so many seconds are 31 years."""
_MOST_LEVELS = 50
"""How deep tables and lists may be in one another; no setting needs more than four."""

TomlValue: TypeAlias = Any
"""The value of a key, of the kind that was asked for; None where it is absent or of another."""


class TomlText:
    """One TOML file: its values, where each key is, and the faults found so far."""

    def __init__(self, path: Path, shown: str, code_missing: str = "FM730") -> None:
        """Raises: ConfigError ``code_missing`` (not there or not readable), FM731 (no TOML)."""
        self.path = path
        self.diagnostics: list[Diagnostic] = []
        self.unset: list[Diagnostic] = []
        """Variables that texts refer to and that are not set: only what uses them fails."""
        try:
            raw = read_bounded(path, MOST_SETTINGS_BYTES)
        except OSError as error:
            raise ConfigError(code_missing, path=shown, reason=os_reason(error, "cannot_be_read")) from None
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise ConfigError("FM731", variant="encoding", path=shown, line=line) from None
        self.text = MapText(shown, hide_secrets(text))
        self._places = _places(text)
        try:
            self.values: dict[str, Any] = tomllib.loads(text.replace("\r\n", "\n"))
        except tomllib.TOMLDecodeError as error:
            raise self._broken(str(error)) from None
        except (RecursionError, ValueError) as error:
            raise self._unreadable("toml_number" if isinstance(error, ValueError) else "toml_deep") from None
        self._refuse((), self.values)

    def _unreadable(self, reason: str) -> ConfigError:
        return ConfigError("FM731", span=Span(self.text, 0, 0), reason=Text(f"reasons.{reason}"))

    def _refuse(self, keys: tuple[str, ...], value: object) -> None:
        """Raises: ConfigError FM731 for a text with a character U+0000: no path, address or name can have one; for
        tables and lists that are nested too deeply."""
        if len(keys) > _MOST_LEVELS:
            raise self._unreadable("toml_deep")
        if isinstance(value, str) and "\0" in value:
            raise ConfigError("FM731", span=self.span(keys), reason=Text("reasons.null_character"))
        if isinstance(value, dict):
            for key, inner in value.items():
                self._refuse((*keys, key), inner)
        elif isinstance(value, list):
            for inner in value:
                self._refuse((*keys, ""), inner)

    def _broken(self, message: str) -> ConfigError:
        found = _PLACE.search(message)
        line = min(int(found.group(1)), self.text.line_count) if found and found.group(1) else self.text.line_count
        start = self.text.line_start(line) + (int(found.group(2)) - 1 if found and found.group(2) else 0)
        start = min(start, len(self.text.text))
        return ConfigError("FM731", span=Span(self.text, start, start + 1), variant="syntax")

    def span(self, keys: tuple[str, ...]) -> Span | None:
        """Where ``keys`` are, or the nearest table above them."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self._places:
                return Span(self.text, *self._places[keys[:length]])
        return None

    def report(  # noqa: PLR0913 - the parts of a diagnostic
        self,
        code: str,
        keys: tuple[str, ...],
        hint: Text | None = None,
        variant: str = "",
        *,
        meant: str | None = None,
        known: tuple[str, ...] = (),
        **args: object,
    ) -> None:
        """One more fault, at the place of ``keys``."""
        named = {"setting": ".".join(keys), **args}
        self.diagnostics.append(Diagnostic(code, self.span(keys), named, hint, variant, meant=meant, known=known))

    def root(self, environ: Mapping[str, str] | None = None) -> TomlSection:
        """The file's own table."""
        return TomlSection(self, (), self.values, os.environ if environ is None else environ)


class TomlSection:
    """One table of the file. What is not there or of the wrong type gives a diagnostic and the default."""

    def __init__(
        self, file: TomlText, path: tuple[str, ...], values: Mapping[str, Any], environ: Mapping[str, str]
    ) -> None:
        self._file = file
        self.path = path
        self._values = values
        self._environ = environ
        self._asked: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def section(self, key: str) -> TomlSection:
        """The table ``key``; an empty one where it is absent."""
        found = self._take(key, dict, Text("reasons.a_table"))
        return TomlSection(self._file, (*self.path, key), found or {}, self._environ)

    def tables(self) -> dict[str, TomlSection]:
        """The tables in this one, by their names."""
        return {key: self.section(key) for key, value in self._values.items() if isinstance(value, dict)}

    def text(self, key: str, default: str = "", *, required: bool = False, choices: Collection[str] = ()) -> str:
        """A text, with ``${NAME}`` replaced by the variable's value."""
        found = self._take(key, str, Text("reasons.text"), required)
        if found is None:
            return default
        if required and not found.strip():
            self._file.report("FM734", (*self.path, key), variant="empty")
        if choices and found not in choices:
            self._file.report("FM735", (*self.path, key), reason=_one_of(choices), **suggestion(found, choices))
            return default
        secret = Secret(".".join((*self.path, key)), found, environ=self._environ)
        for name in secret.unset:
            args = {"variable": name, "setting": secret.setting}
            self._file.unset.append(Diagnostic("FM736", self._file.span((*self.path, key)), args))
        return found if secret.unset else secret.reveal()

    def raw_text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """A text as it is written: FHIRPath and the like, in which ``${`` means nothing."""
        found = self._take(key, str, Text("reasons.text"), required)
        return default if found is None else str(found)

    def sections(self, key: str) -> tuple[TomlSection, ...]:
        """Each table of the list of tables ``key``."""
        found = self._take(key, list, Text("reasons.list_of_tables")) or []
        if not all(isinstance(entry, dict) for entry in found):
            self._file.report(
                "FM733",
                (*self.path, key),
                wanted=Text("reasons.list_of_tables"),
                found=Text("reasons.list_of_something_else"),
            )
            return ()
        keys = (*self.path, key)
        return tuple(TomlSection(self._file, (*keys, str(n)), entry, self._environ) for n, entry in enumerate(found))

    def span(self, key: str) -> Span | None:
        """Where ``key`` is."""
        return self._file.span((*self.path, key))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self._take(key, list, Text("reasons.list_of_texts"))
        if found is None:
            return ()
        if not all(isinstance(entry, str) for entry in found):
            self._file.report(
                "FM733",
                (*self.path, key),
                wanted=Text("reasons.list_of_texts"),
                found=Text("reasons.list_of_something_else"),
            )
            return ()
        return tuple(found)

    def text_or_texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A text, or a list of them."""
        if isinstance(self._values.get(key), list):
            return self.texts(key)
        found = self.text(key, required=required)
        return (found,) if found else ()

    def text_or_mapping(self, key: str) -> dict[str, str]:
        """A text, under the empty name, or a table of texts; at least one, and none of them empty."""
        if isinstance(self._values.get(key), dict):
            found = self.section(key).mapping()
        else:
            found = {"": self.text(key, required=True)} if isinstance(self._values.get(key), str) else {}
            if not found:
                self._take(key, str, Text("reasons.text_or_table"))
        if isinstance(self._values.get(key), dict) and not (found and all(found.values())):
            self._file.report("FM734", (*self.path, key), variant="empty")
        return {name: text for name, text in found.items() if text}

    def boolean(self, key: str, default: bool) -> bool:
        """``true`` or ``false``."""
        found = self._take(key, bool, Text("reasons.true_or_false"))
        return default if found is None else bool(found)

    def number(
        self,
        key: str,
        default: float,
        *,
        above: float | None = 0,
        least: float | None = None,
        most: float = _MOST_NUMBER,
    ) -> float:
        """A number, above ``above`` or at least ``least``, and at most ``most``."""
        found = self._take(key, (int, float), Text("reasons.number"))
        if found is None:
            return default
        if (least is not None and found < least) or (least is None and above is not None and found <= above):
            limit = {"limit": f"{above if least is None else least:g}"}
            reason = Text("reasons.number_above" if least is None else "reasons.number_least", limit)
            self._file.report("FM735", (*self.path, key), reason=reason)
            return default
        if not found <= most:  # nor what is no number at all, `nan`
            reason = Text("reasons.number_most", {"limit": f"{most:g}"})
            self._file.report("FM735", (*self.path, key), reason=reason)
            return default
        return float(found)

    def integer(self, key: str, default: int, *, least: int = 1, most: int = _MOST_NUMBER) -> int:
        """A whole number of at least ``least``, and at most ``most``."""
        found = self._take(key, int, Text("reasons.whole_number"))
        if found is None:
            return default
        if found < least:
            self._file.report("FM735", (*self.path, key), reason=Text("reasons.least", {"limit": least}))
            return default
        if found > most:
            self._file.report("FM735", (*self.path, key), reason=Text("reasons.number_most", {"limit": str(most)}))
            return default
        return int(found)

    def secret(self, key: str, folder: Path, *, warn: bool = True) -> Secret | None:
        """``"${NAME}"``, ``{env = "NAME"}``, ``{file = "path"}``; a literal text is taken, with a warning (FM737)."""
        found = self._values.get(key)
        keys = (*self.path, key)
        if isinstance(found, dict):
            self._asked.append(key)
            return self._reference(keys, found, folder)
        text = self._take(key, str, Text("reasons.text_or_reference"))
        return None if text is None else self._written(keys, text, warn=warn)

    def secrets(self, key: str, folder: Path) -> tuple[Secret, ...]:
        """A list of what `secret` takes, and of ``{keyring = "service/user"}``."""
        wanted = Text("reasons.list_of_secrets")
        found: list[Secret] = []
        keys = (*self.path, key)
        for one in self._take(key, list, wanted) or ():
            if isinstance(one, dict):
                found.append(self._reference(keys, one, folder, keyring=True))
            elif isinstance(one, str):
                found.append(self._written(keys, one))
            else:
                self._file.report("FM733", keys, wanted=wanted, found=Text("reasons.list_of_something_else"))
        return tuple(found)

    def _written(self, keys: tuple[str, ...], text: str, *, warn: bool = True) -> Secret:
        secret = Secret(".".join(keys), text, environ=self._environ)
        if warn and secret.is_literal:
            self._file.report("FM737", keys)
        return secret

    def _reference(
        self, keys: tuple[str, ...], found: Mapping[str, Any], folder: Path, *, keyring: bool = False
    ) -> Secret:
        inner = TomlSection(self._file, keys, found, self._environ)
        variable, file = inner.text("env"), inner.text("file")
        entry = inner.text("keyring") if keyring else ""
        inner.done()
        setting = ".".join(keys)
        if sum(map(bool, (variable, file, entry))) != 1 or (entry and not all(entry.rpartition("/")[::2])):
            reason = "reasons.reference_or_keyring" if keyring else "reasons.reference"
            self._file.report("FM735", keys, reason=Text(reason))
        if entry:
            return Secret(setting, environ=self._environ, keyring=entry)
        if file:
            return Secret(setting, file=folder / Path(file).expanduser(), environ=self._environ)
        return Secret(setting, "${" + variable + "}", environ=self._environ)

    def mapping(self, *, choices: Collection[str] = ()) -> dict[str, str]:
        """Every key of this table, each a text (one of ``choices`` where given)."""
        found: dict[str, str] = {}
        for key, value in self._values.items():
            self._asked.append(key)
            if not isinstance(value, str):
                self._file.report("FM733", (*self.path, key), wanted=Text("reasons.text"), found=_kind(value))
            elif choices and value not in choices:
                self._file.report("FM735", (*self.path, key), reason=_one_of(choices), **suggestion(value, choices))
            else:
                found[key] = value
        return found

    def done(self) -> None:
        """Reports every key that was not asked for."""
        for key in self._values:
            if key not in self._asked:
                where = f"[{'.'.join(self.path)}]" if self.path else self._file.path.name
                self._file.report("FM732", (*self.path, key), key=key, table=where, **suggestion(key, self._asked))

    def _take(self, key: str, kind: type | tuple[type, ...], wanted: Text, required: bool = False) -> TomlValue:
        self._asked.append(key)
        if key not in self._values:
            if required:
                self._file.report("FM734", (*self.path, key))
            return None
        found = self._values[key]
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            self._file.report("FM733", (*self.path, key), wanted=wanted, found=_kind(found))
            return None
        return found


_KINDS: dict[type, str] = {
    bool: "true_or_false",
    int: "whole_number",
    float: "number",
    str: "text",
    list: "a_list",
    dict: "a_table",
}


def _kind(value: object) -> Text:
    return Text(f"reasons.{_KINDS.get(type(value), 'date_or_time')}")


def _places(text: str) -> dict[tuple[str, ...], tuple[int, int]]:
    """Where each key and table header is. A small scan: text inside multi-line strings and lists is skipped."""
    places: dict[tuple[str, ...], tuple[int, int]] = {}
    table: tuple[str, ...] = ()
    offset, depth, quotes = 0, 0, ""
    for line in text.splitlines(keepends=True):
        start, offset = offset, offset + len(line)
        if quotes or depth:
            depth, quotes = _open_after(line, depth, quotes)
            continue
        header = _HEADER.match(line)
        found = _KEY.match(line)
        if header and not found:
            table = _parts(header.group(1))
            if line.lstrip().startswith("[["):
                table = (*table, str(sum(1 for known in places if known[:-1] == table and known[-1].isdecimal())))
            places.setdefault(table, (start + header.start(1), start + header.end(1)))
        elif found:
            places.setdefault((*table, *_parts(found.group(1))), (start + found.start(1), start + found.end(1)))
            depth, quotes = _open_after(line[found.end() :], 0, "")
    return places


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(next(part for part in found if part) if any(found) else "" for found in _PART.findall(dotted))


def _open_after(line: str, depth: int, quotes: str) -> tuple[int, str]:
    """Brackets and multi-line quotes still open at the end of ``line``."""
    index = 0
    while index < len(line):
        triple = line[index : index + 3]
        if quotes:
            end = line.find(quotes, index)
            if end < 0:
                return depth, quotes if len(quotes) == 3 else ""
            index, quotes = end + len(quotes), ""
        elif triple in ('"""', "'''"):
            index, quotes = index + 3, triple
        elif line[index] in "\"'":
            index, quotes = index + 1, line[index]
        elif line[index] == "#":
            break
        else:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(line[index], 0)
            index += 1
    return max(depth, 0), quotes if len(quotes) == 3 else ""


def _one_of(choices: Collection[str]) -> Text:
    return Text("lists.one_of", {"names": listed(tuple(choices))})
