"""The entries of a JSON document (a list at a dotted path, or the one object there) or of NDJSON, one a line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from fhirmap.data import JsonValue
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Fault, TreeText
from fhirmap.source_plan import SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.json_entries import (
    UnreadEntry,
    cut_entries,
    decode,
    decode_entry,
    decode_in_parts,
    repeats_a_key,
    texts_in,
)
from fhirmap.sources.files.source_files import SourceFile, reading
from fhirmap.sources.files.text_lines import Accents, open_text, proved_encoding
from fhirmap.texts import Text

_PLACE = re.compile(r"\(byte (\d+)\)")


class JsonReader:
    """The entries of a JSON document, or the lines of NDJSON, as rows.

    Shape: each entry is the document's own object; numbers keep their digits (Decimal). A document is held whole while
    it is read, NDJSON one line at a time. A line or an entry that cannot be read is a faulty row (no JSON, nested
    too deeply, a key named twice). A document whose brackets or quotes do not balance is an error.
    Raises (all but ``__init__``): ConfigError FM701, FM702, FM705, FM713, FM714.
    """

    def __init__(self, file: SourceFile, plan: SourcePlan) -> None:
        self._file = file
        self._plan = plan
        self._by_line = file.inner_suffix in (".ndjson", ".jsonl")
        self._entries: list[Any] | None = None
        self._document: Any = None

    def names(self) -> Mapping[str, bool]:
        """Every dotted path at which some entry holds something, and whether all that do have a list on the way to it,
        or at it."""
        return paths_in(entry for _, _, entry in self._documents())

    def check(self, needed: Mapping[str, str]) -> list[Diagnostic]:  # noqa: ARG002 - what all readers are given
        """Nothing: an entry may lack whatever it likes."""
        return []

    def rows(self, needed: Collection[str]) -> Iterator[FileRow]:  # noqa: ARG002 - what all readers are given
        """Each entry, whole."""
        for place, number, entry in self._documents():
            if isinstance(entry, Mapping):
                yield FileRow(entry, place, number)
            elif isinstance(entry, UnreadEntry):
                variant = ("line" if self._by_line else "entry") + ("_double" if entry.is_double else "")
                args = {"line" if self._by_line else "entry": number, "source": self._file.shown}
                fault = Fault("FM713", rule="record", args=args, variant=variant)
                yield FileRow({}, place, number, [fault], is_lost=True)
            else:
                yield FileRow({}, place, number, [Fault("FM722", rule="record", args={"number": number})], is_lost=True)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _documents(self) -> Iterator[tuple[str, int, Any]]:
        """Where each entry is, its number from 1, and the entry; an `UnreadEntry` where it is no JSON."""
        if not self._by_line and self._entries is None:
            self._entries = self._load()
        if self._entries is not None:
            path = f"{self._plan.name.replace('.', '/')}/" if self._plan.name else ""
            for number, entry in enumerate(self._entries):
                yield f"#/{path}{number}", number + 1, entry
            return
        yield from self._by_lines()

    def _by_lines(self) -> Iterator[tuple[str, int, Any]]:
        if self._plan.name:
            raise self._path_in_lines()
        # A line has no names: any may be damaged.
        encoding = proved_encoding(self._file, self._plan.encoding, names=0)
        with reading(self._file):
            for number, line in enumerate(self._lines(encoding), 1):
                # A byte-order mark, where files were joined.
                line = line.removeprefix(codecs.BOM_UTF8)
                if line.strip():
                    yield f":{number}", number, decode_entry(line)

    def _lines(self, encoding: str) -> Iterator[bytes]:
        """The lines of the file as UTF-8; what is no text in its encoding is no UTF-8 either."""
        if encoding in ("utf-8", "utf-8-sig"):
            with self._file.open() as lines:
                yield from lines
        else:
            with open_text(self._file, encoding) as text:
                for line in text:
                    yield line.encode("utf-8", "surrogatepass")

    def _bytes(self) -> bytes:
        with reading(self._file), self._file.open() as stream:
            return stream.read()

    def _load(self) -> list[Any] | None:
        """The entries of a whole document; None where it turns out to be NDJSON."""
        text = self._as_utf8(self._bytes())
        document = self._decoded(text)
        if self._by_line:
            return None
        self._document = document
        return self._list_in(document)

    def _decoded(self, text: bytes) -> JsonValue:
        """The document; None, and lines from now on, where it turns out to be NDJSON.

        Raises: ConfigError FM713, FM714.
        """
        try:
            document = decode(text)
            if not repeats_a_key(text, document):
                return document
            found = self._entry_by_entry(text)
            return document if found is None else found
        except RecursionError:
            failure = ConfigError("FM713", variant="deep", source=self._file.shown)
        except UnicodeDecodeError as error:
            failure = self._broken(text[: error.start], "")
        except msgspec.DecodeError as error:
            if "trailing characters" in str(error) and self._is_ndjson(text):
                if self._plan.name:
                    raise self._path_in_lines() from None
                self._by_line = True
                return None
            failure = self._broken(text, str(error))
        # Brackets and quotes may be right nevertheless: then one record is wrong, and not the file.
        found = self._entry_by_entry(text)
        if found is None:
            raise failure
        return found

    def _entry_by_entry(self, text: bytes) -> JsonValue:
        """The document as far as its entries can be read, an `UnreadEntry` for one that cannot; None where its entries
        cannot be found.
        """
        names = self._plan.name.split(".") if self._plan.name else []
        cuts = cut_entries(text, names)
        if cuts is None:
            return None
        document: Any = [decode_entry(cut) for cut in cuts]
        for name in reversed(names):
            document = {name: document}
        return document

    def _as_utf8(self, raw: bytes) -> bytes:
        declared = self._plan.encoding or "utf-8"
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            declared = "utf-16"
        elif raw.startswith(codecs.BOM_UTF8):
            declared = "utf-8-sig"
        try:
            text = raw.decode(declared)
        except LookupError:
            raise ConfigError("FM705", variant="unknown", encoding=declared, source=self._file.shown) from None
        except UnicodeDecodeError as error:
            if declared == "utf-8" and self._is_damaged_here_and_there(raw):
                return raw
            line = raw.count(b"\n", 0, error.start) + 1
            raise ConfigError(
                "FM705", source=self._file.shown, encoding=declared, offset=error.start, line=line
            ) from None
        return raw if declared == "utf-8" else text.encode()

    def _is_damaged_here_and_there(self, raw: bytes) -> bool:
        """Is the encoding right for most entries, so that those in which a byte is wrong are damaged?"""
        cuts = cut_entries(raw, self._plan.name.split(".") if self._plan.name else [])
        if cuts is None:
            return False
        accents = Accents()
        for part in cuts if len(cuts) > 1 else texts_in(raw):
            accents.add(part, "utf-8")
        return not accents.is_other

    def _is_ndjson(self, text: bytes) -> bool:
        first = next((line for line in text.splitlines() if line.strip()), b"")
        try:
            return isinstance(decode(first), dict)
        except msgspec.DecodeError:
            return False

    def _path_in_lines(self) -> ConfigError:
        return ConfigError("FM714", source=self._file.shown, path=self._plan.name, variant="lines")

    def _broken(self, text: bytes, message: str) -> ConfigError:
        found = _PLACE.search(message)
        offset = int(found.group(1)) if found else len(text)
        before = text[:offset]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        is_cut = "truncated" in message or not text.strip()
        reason = Text("reasons.ends_early" if is_cut else "reasons.out_of_place")
        line = before.count(b"\n") + 1
        return ConfigError("FM713", source=self._file.shown, reason=reason, line=line, column=column)

    def _list_in(self, document: JsonValue) -> list[Any]:
        path = self._plan.name
        node = document
        if path and isinstance(document, list):
            raise ConfigError("FM714", source=self._file.shown, path=path, variant="whole")
        names = path.split(".") if path else []
        for depth, name in enumerate(names):
            if isinstance(node, list):
                outer = ".".join(names[:depth])
                raise ConfigError("FM714", source=self._file.shown, path=path, variant="inside", outer=outer)
            if not isinstance(node, Mapping) or name not in node:
                there = list(node) if isinstance(node, Mapping) else []
                raise ConfigError("FM714", source=self._file.shown, path=path, **naming.like(name, there))
            node = node[name]
        if isinstance(node, Mapping):
            return [node]
        if not isinstance(node, list):
            raise ConfigError("FM714", source=self._file.shown, path=path or Text("reasons.its_top"))
        return node

    def document(self) -> JsonValue:
        """The whole document, an `UnreadEntry` in the place of what cannot be read; a list of the lines' values for
        NDJSON.
        """
        if self._by_line:
            return list(self.entries())
        self._entries = self._load()
        if self._entries is None:
            return list(self.entries())
        if any(isinstance(entry, UnreadEntry) for entry in self._entries):
            return decode_in_parts(self._as_utf8(self._bytes()))
        return self._document

    def entries(self) -> Iterator[Any]:
        """Every entry of the list, objects or not."""
        for _, _, entry in self._documents():
            yield entry


def paths_in(entries: Iterable[JsonValue]) -> dict[str, bool]:
    """Every dotted path at which some of the entries holds something, and whether all that do have a list on the way
    to it, or at it."""
    paths: dict[str, bool] = {}
    for entry in entries:
        _gather(entry, paths)
    return paths


def _gather(entry: JsonValue, paths: dict[str, bool]) -> None:
    """The dotted paths in ``entry``, in its order, and which of them always lead through a list, into its items."""
    waiting: list[tuple[str, Any, bool]] = [("", entry, False)]  # no recursion: as deep as Python goes
    while waiting:
        prefix, node, is_listed = waiting.pop()
        is_listed = is_listed or isinstance(node, list)
        if prefix:
            paths[prefix] = paths.get(prefix, True) and is_listed
        if isinstance(node, TreeText):
            node = node.members
        if isinstance(node, Mapping):
            inner = [(f"{prefix}.{name}" if prefix else str(name), value) for name, value in node.items()]
            waiting.extend((name, value, is_listed) for name, value in reversed(inner))
        elif isinstance(node, list):
            waiting.extend((prefix, item, True) for item in reversed(node))
