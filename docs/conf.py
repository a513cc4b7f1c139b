"""How the documentation becomes a site: `make docs` builds it into ``build/site``, without a network."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from reference import write_fhirpath, write_reference  # noqa: E402 - tools/reference.py

from fhirmap import __version__  # noqa: E402 - the checkout's own, whatever is installed

write_reference(ROOT / "docs" / "reference" / "generated")
write_fhirpath(ROOT / "docs" / "reference" / "fhirpath.md")
write_fhirpath(ROOT / "docs" / "fr" / "fhirpath.md", "fr")

project = "fhirmap"
author = "The fhirmap contributors"
version = release = __version__
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["examples"]
language = "en"

# A link that leads nowhere is an error (`-W`), anchors of headings included.
nitpicky = True
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]

html_theme = "furo"
html_title = "fhirmap"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
