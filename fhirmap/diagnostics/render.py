"""Diagnostics, faults and notes as text for people and as data: the only place that does either.

Three forms of a diagnostic: a block with its source line, one line for pipelines, and data for JSON. The texts
themselves come from the code's page; colours are added only where the caller asks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from textwrap import wrap
from unicodedata import category, combining, east_asian_width

from fhirmap.diagnostics.catalog import page
from fhirmap.diagnostics.diagnostic import Diagnostic, Severity
from fhirmap.diagnostics.span import Span
from fhirmap.records import Fault, Note
from fhirmap.texts import text

Paint = Callable[[str, str], str]

_STYLES = {"error": "1;31", "warning": "1;33", "note": "1;36", "frame": "1;34", "strong": "1"}
_TAB = "    "
_WIDEST_LINE = 160
_WIDEST_TAIL = 120


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each diagnostic once, file by file as first met, top to bottom; those without a place last.

    Of two that say the same of one place the one that needs no second place to say it is kept.
    """
    files: dict[str, int] = {}

    def place(entry: Diagnostic) -> tuple[int, int, int]:
        if entry.span is None:
            return (sys.maxsize, 0, 0)
        return (files.setdefault(entry.span.name, len(files)), entry.span.start, entry.span.end)

    held: dict[object, list[Diagnostic]] = {}
    for entry in diagnostics:
        held.setdefault((place(entry), entry.code), []).append(entry)
    unique = (found for entries in held.values() for found in _unlike(entries))
    return tuple(sorted(unique, key=place))


def _unlike(entries: list[Diagnostic]) -> Iterable[Diagnostic]:
    """Those of one code and place that do not say the same."""
    if len(entries) == 1:
        return entries
    unique: list[Diagnostic] = []
    for entry in entries:
        for place, known in enumerate(unique):
            if (known.variant, known.args) == (entry.variant, entry.args) or known.message == entry.message:
                if known.related and not entry.related:
                    unique[place] = entry
                break
        else:
            unique.append(entry)
    return unique


def render_diagnostic(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """The diagnostic as a terminal shows it: message, place, source line with carets, hint, and where to read more."""
    paint = _ansi if colour else _plain
    severity = diagnostic.severity.value
    head = _head(severity, diagnostic.code, diagnostic.message, paint)
    if diagnostic.span is None:
        return "\n".join((head, *_tail(diagnostic, 0, paint)))
    spans = [diagnostic.span, *(related.span for related in diagnostic.related)]
    gutter = max(len(str(span.line)) for span in spans)
    masked = page(diagnostic.code).is_masked
    lines = [head, *_excerpt(diagnostic.span, diagnostic.label, gutter, paint, severity, "-->", "^", masked=masked)]
    for related in diagnostic.related:
        lines += _excerpt(related.span, related.label, gutter, paint, "frame", ":::", "-")
    return "\n".join((*lines, *_tail(diagnostic, gutter, paint)))


def diagnostic_to_line(diagnostic: Diagnostic) -> str:
    """The diagnostic on one line, as compilers print it for editors and pipelines."""
    place = f"{diagnostic.span.position}: " if diagnostic.span else ""
    shown = diagnostic.hint_text
    hint = f"   = {text('diagnostics.hint')}{text('diagnostics.colon')}{_visible(shown)}" if shown else ""
    return place + _head(diagnostic.severity.value, diagnostic.code, diagnostic.message, _plain) + hint


def diagnostic_to_json(diagnostic: Diagnostic) -> dict[str, object]:
    """The diagnostic as data; keys are always there, ``None`` where the diagnostic has no such thing."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "label": diagnostic.label or None,
        "hint": diagnostic.hint_text or None,
        **_place_json(diagnostic.span),
        "related": [{"label": related.label, **_place_json(related.span)} for related in diagnostic.related],
    }


def render_diagnostics(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """All of them as blocks with an empty line between two; ends with a line break unless there are none."""
    return "".join(render_diagnostic(entry, colour=colour) + "\n\n" for entry in ordered(diagnostics))[:-1]


def summary(diagnostics: Sequence[Diagnostic], names: Sequence[str] = (), elapsed_s: float | None = None) -> str:
    """`2 errors, 2 warnings in message.map (43 ms)`. ``names``: the files looked at."""
    counts = [
        text(f"diagnostics.count.{severity.value}", count=count)
        for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
        if (count := sum(entry.severity is severity for entry in diagnostics))
    ]
    files = tuple(dict.fromkeys(names)) or tuple(dict.fromkeys(entry.span.name for entry in diagnostics if entry.span))
    parts = [", ".join(counts) or text("diagnostics.no_errors")]
    if files:
        key = "diagnostics.in_file" if len(files) == 1 else "diagnostics.in_files"
        parts.append(text(key, file=files[0], count=len(files)))
    if elapsed_s is not None:
        parts.append(text("diagnostics.took", milliseconds=f"{elapsed_s * 1000:.0f}"))
    return " ".join(parts)


def fault_message(fault: Fault) -> str:
    """What is wrong with the record, from the code's page."""
    return page(fault.code).text("message", fault.variant, _fault_args(fault))


def fault_to_line(fault: Fault, *, colour: bool = False) -> str:
    """The fault on one line: what, where in the result, by which rule of the map, from which columns. Never a value."""
    paint = _ansi if colour else _plain
    head = _head(fault.severity, fault.code, fault_message(fault), paint, strong=False)
    columns = text("diagnostics.from_columns", columns=", ".join(fault.columns)) if fault.columns else ""
    return "   ".join(part for part in (head, fault.path, fault.position and f"--> {fault.position}", columns) if part)


def fault_to_json(fault: Fault) -> dict[str, object]:
    """The fault as data."""
    return {
        "code": fault.code,
        "severity": fault.severity,
        "message": fault_message(fault),
        "hint": page(fault.code).text("hint", fault.variant, _fault_args(fault)) or None,
        "path": fault.path or None,
        "element": fault.element or None,
        "rule": fault.rule or None,
        "position": fault.position or None,
        "columns": list(fault.columns),
    }


def note_to_line(note: Note, *, colour: bool = False) -> str:
    """The note on one line: the map's own words and the rule that said them."""
    paint = _ansi if colour else _plain
    head = paint("note", text("diagnostics.severity.note")) + text("diagnostics.colon")
    return f"{head}{_visible(note.text)}" + (f"   --> {note.position}" if note.position else "")


def note_to_json(note: Note) -> dict[str, object]:
    """The note as data."""
    return {"text": note.text, "position": note.position or None}


def folded(line: str, width: int = 80, indent: int = 4) -> list[str]:
    """A line in pieces of at most ``width`` characters, those after the first indented; its blanks stay as they are.

    Example:
        >>> folded("invalid  2   a side is missing", 22, 13)
        ['invalid  2   a side is', '             missing']
    """
    lead = " " * (len(line) - len(line.lstrip()))
    margin = " " * indent
    return wrap(
        line.strip(),
        width,
        initial_indent=lead,
        subsequent_indent=margin,
        break_on_hyphens=False,
        break_long_words=False,
    ) or [""]


def _excerpt(  # noqa: PLR0913 - the pieces of one line
    span: Span, label: str, gutter: int, paint: Paint, style: str, arrow: str, mark: str, *, masked: bool = False
) -> tuple[str, str, str, str]:
    """Place, empty frame line, source line, marks under the span with the label after them.

    ``masked``: the marked characters are a secret and are shown as asterisks.
    """
    line = span.text.line_text(span.line)
    start = min(span.column - 1, len(line))
    several = span.end_line > span.line
    end = len(line) if several else max(start, min(span.end_column - 1, len(line)))
    shown = "*" * (end - start) if masked else line[start:end]
    before, marked, after = _cropped(line[:start], shown, line[end:])
    marks = " " * _width(before) + paint(style, mark * max(1, _width(marked)))
    until = text("diagnostics.up_to_line", line=span.end_line) if several else ""
    words = ", ".join(part for part in (_visible(label), until) if part)
    bar = paint("frame", "|")
    return (
        f"{' ' * gutter}{paint('frame', arrow)} {span.position}",
        f"{' ' * gutter} {bar}",
        f"{paint('frame', str(span.line).rjust(gutter))} {bar} {before}{marked}{after}".rstrip(),
        f"{' ' * gutter} {bar} {marks}" + (f" {paint(style, words)}" if words else ""),
    )


def _head(severity: str, code: str, message: str, paint: Paint, *, strong: bool = True) -> str:
    shown = text("diagnostics.colon") + _visible(message)
    word = text(f"diagnostics.severity.{severity}")
    return paint(severity, f"{word}[{code}]") + (paint("strong", shown) if strong else shown)


def _tail(diagnostic: Diagnostic, gutter: int, paint: Paint) -> tuple[str, ...]:
    hint = _visible(diagnostic.hint_text)
    frame, colon = paint("frame", "="), text("diagnostics.colon")
    parts = [f"{frame} {paint('strong', text('diagnostics.hint'))}{colon}{hint}"] if hint else []
    parts.append(f"{frame} {paint('strong', text('diagnostics.why'))}{colon}fhirmap explain {diagnostic.code}")
    lead = " " * (gutter + 1)
    return (lead + "   ".join(parts),) if len(hint) <= _WIDEST_TAIL else tuple(lead + part for part in parts)


def _cropped(before: str, marked: str, after: str) -> tuple[str, str, str]:
    """The three parts as shown: tabs widened, control characters visible, a very long line cut around its marks."""
    before, marked, after = _visible(before), _visible(marked), _visible(after)
    if len(before) + len(marked) + len(after) <= _WIDEST_LINE:
        return before, marked, after
    third = _WIDEST_LINE // 3
    if len(before) > third:
        before = "…" + before[-third:]
    if len(marked) > third:
        return before, marked[:third] + "…", ""
    rest = _WIDEST_LINE - len(before) - len(marked)
    return before, marked, after if len(after) <= rest else after[:rest] + "…"


def _visible(shown: str) -> str:
    """Text that moves no cursor: a tab is four blanks, any other control character a replacement mark."""
    return "".join("\ufffd" if category(char) == "Cc" else char for char in shown.replace("\t", _TAB))


def _width(shown: str) -> int:
    """Columns that a terminal gives ``shown``: wide characters two, combining marks and joiners none."""
    return sum(
        0 if combining(char) or category(char) in ("Mn", "Me", "Cf") else 2 if east_asian_width(char) in "WF" else 1
        for char in shown
    )


def _plain(_style: str, shown: str) -> str:
    return shown


def _ansi(style: str, shown: str) -> str:
    return f"\x1b[{_STYLES.get(style, '1')}m{shown}\x1b[0m"


def _place_json(span: Span | None) -> dict[str, object]:
    if span is None:
        return {"file": None, "line": None, "column": None, "end_line": None, "end_column": None}
    return {
        "file": span.name,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _fault_args(fault: Fault) -> dict[str, object]:
    """The template's arguments: the fault's own, and what every fault knows."""
    known = {"path": fault.path, "element": fault.element, "rule": fault.rule, "columns": ", ".join(fault.columns)}
    return {**known, **fault.args}
