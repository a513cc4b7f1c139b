"""``python tools/offline_site.py SITE``: does a page of a built site load anything from the web? Prints it, exits 1."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


class _Loads(HTMLParser):
    """Collects the addresses that a page loads by itself; links that a reader may follow are none of them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what the tag loads from another host."""
        values = dict(attrs)
        address = values.get(_LOADED.get(tag, "")) or ""
        is_named_only = tag == "link" and values.get("rel") not in ("stylesheet", "preload", "icon", "preconnect")
        if address.startswith(("http://", "https://", "//")) and not is_named_only:
            self.found.append(address)


def loaded(page: str) -> list[str]:
    """Addresses that an HTML page loads from the web.

    Example:
        >>> loaded('<script src="https://cdn.example/x.js"></script><a href="https://example.org">read</a>')
        ['https://cdn.example/x.js']
    """
    parser = _Loads()
    parser.feed(page)
    return parser.found


def faults(site: Path) -> Iterator[str]:
    """One line for each page that loads something from the web."""
    for path in sorted(site.rglob("*.html")):
        for address in loaded(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)} loads {address}"


if __name__ == "__main__":
    lines = list(faults(Path(sys.argv[1])))
    print(*lines, sep="\n", file=sys.stderr)
    sys.exit(1 if lines else 0)
