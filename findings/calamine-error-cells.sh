#!/usr/bin/env bash
# python-calamine 0.9.1: a cell that holds an error (#N/A, #DIV/0!) is given as the empty text that an empty cell is.
#
# Both are "" in `to_python()` and `iter_rows()`, so that a reader of a price list or of a lookup that found nothing
# cannot tell a value that is wrong from one that was never entered. The workbook itself has the difference: the cell is
# there with the type of an error. Seen in November 2026. Our own reader of sheets looks at the workbook's XML where it
# has such cells, and makes each a fault of its record; a test holds one of each.
#
# Prints the rows; fails where the two are not alike any more.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check python-calamine==0.9.1 xlsxwriter==3.3.1 2>/dev/null
cat > "$folder/show.py" <<'PYTHON'
import sys
from python_calamine import CalamineWorkbook
import xlsxwriter

path = sys.argv[1]
with xlsxwriter.Workbook(path) as book:
    sheet = book.add_worksheet()
    for row, name in enumerate(("lookup", "division", "empty")):
        sheet.write(row, 0, name)
    sheet.write_formula(0, 1, "=NA()", None, "#N/A")
    sheet.write_formula(1, 1, "=1/0", None, "#DIV/0!")
    for row in range(3):
        sheet.write(row, 2, row)
print(CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python())
PYTHON
found=$("$folder/venv/bin/python" "$folder/show.py" "$folder/a.xlsx")
echo "$found"
[ "$found" = "[['lookup', '', 0.0], ['division', '', 1.0], ['empty', '', 2.0]]" ]
