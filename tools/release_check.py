"""``python tools/release_check.py v1.2.3``: may this tag be released? Prints why not, and exits with 1."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def faults(tag: str, version: str, changelog: str) -> list[str]:
    """What keeps ``tag`` from being released: it must name ``version`` and have a dated section in the changelog.

    Example:
        >>> faults("v1.0.0", "1.0.0", "## 1.0.0 (2027-01-31)")
        []
        >>> faults("v1.0.0", "0.9.0", "## 1.0.0 (unreleased)")
        ['the tag is v1.0.0, the package is 0.9.0', 'CHANGELOG.md has no section `## 1.0.0 (YYYY-MM-DD)`']
    """
    found = []
    if tag != f"v{version}":
        found.append(f"the tag is {tag}, the package is {version}")
    wanted = tag.removeprefix("v")
    if not re.search(rf"(?m)^## {re.escape(wanted)} \(\d{{4}}-\d{{2}}-\d{{2}}\)$", changelog):
        found.append(f"CHANGELOG.md has no section `## {wanted} (YYYY-MM-DD)`")
    return found


def main() -> int:
    """Check the tag of the command line against the checkout."""
    text = (ROOT / "fhirmap" / "version.py").read_text(encoding="utf-8")
    version = re.search(r'__version__ = "([^"]+)"', text)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = faults(sys.argv[1], version[1] if version else "unknown", changelog)
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
