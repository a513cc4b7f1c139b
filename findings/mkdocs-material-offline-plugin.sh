#!/usr/bin/env bash
# mkdocs-material 9.8.2 (mkdocs 1.6.1): a site built with the theme's `offline` plugin still loads a script from the web.
#
# The plugin's purpose is a site that is read from a folder, without a network. With the search plugin beside it, each page
# it writes has a <script> whose source is a public CDN (a shim for workers under file://). Only the `privacy` plugin,
# which downloads such files while building, takes it out, so that a build without a network cannot make a site that
# needs none. Seen in November 2026. Our own site is built with another generator; a test looks at what its pages load.
#
# Prints the sources found; fails where they are no longer there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mkdocs==1.6.1 mkdocs-material==9.8.2 2>/dev/null
mkdir "$folder/docs"
echo '# A page' > "$folder/docs/index.md"
cat > "$folder/mkdocs.yml" <<'YAML'
site_name: example
theme: { name: material, font: false }
plugins: [search, offline]
YAML
(cd "$folder" && NO_MKDOCS_2_WARNING=1 venv/bin/mkdocs build --quiet 2>/dev/null)
found=$(grep -oE '<script src="https?://[^"]+"' "$folder/site/index.html" | grep -oE 'iframe-worker/[a-z]+' | sort -u)
echo "loaded from the web: $found"
[ "$found" = 'iframe-worker/shim' ]
