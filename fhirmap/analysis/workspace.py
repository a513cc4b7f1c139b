"""Map texts and what they import become programs. Files are read through an injected function, never here."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from fhirmap.analysis.hints import column_hint
from fhirmap.analysis.no_folder import NoFolder, OutsideFolder, no_files
from fhirmap.analysis.typed import ImportedMaps, Program, Unit
from fhirmap.diagnostics import Diagnostic, MapText, Severity, Span, Subject, SubjectKind
from fhirmap.diagnostics.nearest import nearest
from fhirmap.language import nodes
from fhirmap.language.parser import parse
from fhirmap.texts import os_reason

Read = Callable[[str, str], bytes]
"""(name of the map, file as the map names it) -> bytes of the file beside the map. Raises ``OSError``."""


ParsedMap = tuple[nodes.Map, Sequence[Diagnostic]]
"""A map's tree, and what is wrong with its syntax."""

Parse = Callable[[MapText], ParsedMap]
"""How a text is parsed: whoever has several workspaces keeps what was parsed for one of them."""


def parsed(text: MapText) -> ParsedMap:
    """A text parsed whenever it is asked for."""
    return parse(text.text, text.name)


class Workspace:
    """Maps that may import one another: ``library`` as texts, ``maps`` as trees.

    Each is parsed, and its imports are looked for, when a program first needs it, and once.
    """

    def __init__(
        self,
        library: Iterable[MapText] = (),
        maps: Iterable[ParsedMap] = (),
        *,
        read: Read = no_files,
        parse: Parse = parsed,
    ) -> None:
        self._maps: dict[str, ParsedMap] = {}
        self._waiting = list(library)
        self._places = {text.name: place for place, text in enumerate(self._waiting)}
        for parsed_map in maps:
            self._add(parsed_map)
        self._read = read
        self._parse = parse
        self._units: dict[str, Unit] = {}
        self._imported: dict[str, ImportedMaps] = {}
        self._urls: dict[str, list[str]] = {}

    def program(self, stages: Iterable[ParsedMap]) -> Program:
        """The program of some maps, and of what they lead to by imports. A stage counts in place of a text of its name.

        Spec: FML, imports: a URL with at most one `*`; only direct imports are visible.
        """
        units = tuple(self._unit(self._add(stage)) for stage in stages)
        return Program(units, self._reached(units))

    def _add(self, parsed_map: ParsedMap) -> ParsedMap:
        """Make a map known that is parsed already; the one of its name where that is known."""
        name = parsed_map[0].span.text.name
        if name not in self._maps:
            self._maps[name] = parsed_map
            self._waiting = [text for text in self._waiting if text.name != name]
        return self._maps[name]

    def _reached(self, stages: Iterable[Unit]) -> tuple[Unit, ...]:
        """``stages`` and what they import, and what that imports, in the order in which it is met."""
        found = dict.fromkeys(stages)
        seen: set[ImportedMaps] = set()
        waiting = deque(found)
        while waiting:
            unit = waiting.popleft()
            self._resolve(unit)
            for entry in unit.imported:
                if entry not in seen:
                    seen.add(entry)
                    new = [other for other in entry.units if other not in found]
                    found.update(dict.fromkeys(new))
                    waiting += new
        return tuple(found)

    def _unit(self, parsed_map: ParsedMap) -> Unit:
        """The unit of a parsed map, its imports not resolved; the same map gives the same unit."""
        tree, syntax = parsed_map
        text = tree.span.text
        known = self._units.get(text.name)
        if known is not None:
            return known
        unit = self._units[text.name] = Unit(text, tree, tuple(syntax))
        unit.tables = {entry.id: self._table(unit, entry) for entry in tree.concept_maps if entry.table}
        for store in (model.store for model in tree.models):
            if store is not None and store.kind == "query":
                unit.queries[store.name] = store.query or self._query(
                    unit, store.name, store.encoding or "utf-8", store.name_span
                )
        for join in (element.join for model in tree.models for element in model.elements):
            if join is not None and join.is_query:
                unit.queries[join.table] = join.query or self._query(unit, join.table, "utf-8", join.table_span)
        return unit

    def _resolve(self, unit: Unit) -> None:
        """Give a unit what it imports."""
        if unit.imported or not unit.tree.imports:
            return
        found: list[ImportedMaps] = []
        for entry in unit.tree.imports:
            taken = self._matching(entry.url)
            if not any(other is not unit for other in taken.units):
                self._unknown_import(unit, entry)
                # A wildcard that matches nothing may be meant: what is then missing is reported where it is called.
                unit.unresolved_imports |= "*" not in entry.url
            found.append(taken)
        unit.imported = tuple(found)

    def _matching(self, url: str) -> ImportedMaps:
        """Maps whose URL is ``url``, which may hold one `*` and end in `|version`; only texts that may are parsed."""
        known = self._imported.get(url)
        if known is None:
            address, _, version = url.partition("|")
            head, star, tail = address.partition("*")
            pattern = re.compile(re.escape(head) + (r"[^\s\"']+" if star else "") + re.escape(tail))
            self._parse_waiting(pattern if star else address)
            maps = [
                (tree, found)
                for tree, found in self._maps.values()
                if tree.url and pattern.fullmatch(tree.url) and version in ("", tree.version)
            ]
            # In the order of the library, whatever was asked for before; what is none of it comes first.
            maps.sort(key=lambda entry: self._places.get(entry[0].span.text.name, -1))
            known = self._imported[url] = ImportedMaps(tuple(map(self._unit, maps)))
        return known

    def _parse_waiting(self, address: re.Pattern[str] | str) -> None:
        """Parse the texts that mention ``address``."""
        waiting: list[MapText] = []
        for text in self._waiting:
            if address in text.text if isinstance(address, str) else address.search(text.text):
                self._maps[text.name] = self._parse(text)
            else:
                waiting.append(text)
        self._waiting = waiting

    def _unknown_import(self, unit: Unit, entry: nodes.MapImport) -> None:
        urls = [tree.url for tree, _ in self._maps.values() if tree.url]
        urls += [url for text in self._waiting for url in self._mentioned(text)]
        meant = nearest(entry.url, urls)
        severity = Severity.WARNING if "*" in entry.url else None
        unit.faults.append(
            Diagnostic(
                "FM100",
                entry.url_span or entry.span,
                {"url": entry.url},
                severity_override=severity,
                meant=meant,
                about=Subject(SubjectKind.IMPORT, entry.url),
            )
        )

    def _mentioned(self, text: MapText) -> list[str]:
        """What looks like a map's URL in a text that is not parsed."""
        known = self._urls.get(text.name)
        if known is None:
            known = self._urls[text.name] = re.findall(r"[\"']([^\"'\s]+/StructureMap/[^\"']+)", text.text)
        return known

    def _table(self, unit: Unit, declaration: nodes.ConceptMapDeclaration) -> tuple[nodes.ConceptMapCode, ...]:
        """Codes of a concept map's CSV file."""
        table = declaration.table
        assert table is not None
        if len(table.delimiter) != 1:
            return ()  # reported by a check
        content = self._file(unit, table.file, table.encoding, table.file_span or table.span)
        if content is None:
            return ()
        try:
            # strict: a quote that is not closed would take the rest of the table for one code
            reader = csv.DictReader(io.StringIO(content), delimiter=table.delimiter, strict=True)
            return self._codes(unit, declaration, reader)
        except csv.Error:
            span = table.file_span or table.span
            unit.faults.append(Diagnostic("FM102", span, {"file": table.file}, variant="rows"))
            return ()

    def _codes(
        self, unit: Unit, declaration: nodes.ConceptMapDeclaration, rows: csv.DictReader[str]
    ) -> tuple[nodes.ConceptMapCode, ...]:
        table = declaration.table
        assert table is not None
        source, target = [*(entry.name for entry in declaration.prefixes), "", ""][:2]
        header = [name.strip() for name in rows.fieldnames or ()]
        rows.fieldnames = header
        wanted = [table.source_column, table.target_column, *([table.relation_column] if table.relation_column else [])]
        for order, column in enumerate(wanted):
            if column not in header:
                span = table.column_spans[order] if table.column_spans else table.span
                args = {"column": column, "place": table.file}
                hint, found = column_hint(column, header)
                unit.faults.append(Diagnostic("FM101", span, args, hint, "file", **found))
                return ()
        codes = []
        for row in rows:
            left, right = ((row[name] or "").strip() for name in wanted[:2])
            relation = (row[wanted[2]] or "").strip() if len(wanted) > 2 else "-"
            if left:
                codes.append(
                    nodes.ConceptMapCode(
                        source, left, relation or "-", target, right, table.span, table.span, table.span
                    )
                )
        return tuple(codes)

    def _query(self, unit: Unit, name: str, encoding: str, span: Span) -> str:
        """Text of a query that a file holds."""
        return self._file(unit, name, encoding, span) or ""

    def _file(self, unit: Unit, name: str, encoding: str, span: Span) -> str | None:
        """A text file beside the map; a diagnostic where it cannot be read."""
        try:
            return self._read(unit.name, name).decode("utf-8-sig" if encoding in ("utf-8", "") else encoding)
        except NoFolder:
            unit.faults.append(Diagnostic("FM102", span, {"file": name}, variant="text"))
        except OutsideFolder as error:
            unit.faults.append(Diagnostic("FM102", span, {"file": name}, variant=error.variant))
        except OSError as error:
            args = {"file": name, "why": os_reason(error)}
            unit.faults.append(Diagnostic("FM102", span, args))
        except LookupError:
            return None  # an encoding that does not exist is reported by a check
        except UnicodeDecodeError:
            unit.faults.append(Diagnostic("FM102", span, {"file": name, "encoding": encoding}, variant="encoding"))
        return None


def load(
    stages: Sequence[ParsedMap],
    *,
    library: Iterable[MapText] = (),
    maps: Iterable[ParsedMap] = (),
    read: Read = no_files,
    parse: Parse = parsed,
) -> Program:
    """The program of the maps ``stages``, with what they import found in ``library`` (texts) and ``maps`` (trees)."""
    return Workspace(library, [*maps, *stages], read=read, parse=parse).program(stages)
