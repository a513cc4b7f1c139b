"""`fhirmap explain FMnnn`: a code's page as text for a terminal."""

from __future__ import annotations

from difflib import get_close_matches

from fhirmap.diagnostics.catalog import codes, page
from fhirmap.texts import text

_DIGITS = str.maketrans("OIL", "011")
_HEADINGS = {"map wrong": "wrong", "text rendered": "rendered", "map repaired": "repaired"}


class UnknownCode(LookupError):
    """There is no page for this code; ``nearest`` holds the codes that may have been meant."""

    def __init__(self, code: str, nearest: tuple[str, ...]) -> None:
        self.code = code
        self.nearest = nearest
        key = "diagnostics.no_code_near" if nearest else "diagnostics.no_code"
        super().__init__(text(key, code=code, near=", ".join(nearest)))


def code_meant(code: str) -> str:
    """The code of a page that ``code`` says: `FM204` for `FM204`, `fm204` or `204`.

    Raises:
        UnknownCode: no page has that code; with the nearest codes.
    """
    wanted = code.strip().upper()
    if wanted.isdigit():
        wanted = f"FM{wanted:0>3}"
    known = codes()
    if wanted not in known:
        alike = wanted[:2] + wanted[2:].translate(_DIGITS)
        raise UnknownCode(code, tuple(get_close_matches(alike, known, n=3, cutoff=0.6)))
    return wanted


def explain(code: str) -> str:
    """The page of ``code``, spelt in any way: title and severity, what it means and why, wrong and repaired.

    Raises:
        UnknownCode: no page has that code; with the nearest codes.
    """
    found = page(code_meant(code))
    severity = text(f"diagnostics.severity.{found.severity}")
    return f"{found.code}{text('diagnostics.colon')}{found.title} ({severity})\n\n{_as_text(found.body)}"


def _as_text(markdown: str) -> str:
    """Fenced blocks indented under a heading of their own; the rest as written."""
    lines: list[str] = []
    inside = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            inside = not inside
            if inside:
                lines.append(_heading(line[3:].strip()))
        else:
            lines.append(f"    {line}".rstrip() if inside else line)
    return "\n".join(lines).strip() + "\n"


def _heading(info: str) -> str:
    """What is shown above a fenced block; other blocks are called what their info string says after its language."""
    if info in _HEADINGS:
        return text(f"diagnostics.example.{_HEADINGS[info]}")
    name = info.partition(" ")[2]
    return name + text("diagnostics.colon").rstrip() if name else ""
