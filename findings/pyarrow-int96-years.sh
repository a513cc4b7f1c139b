#!/usr/bin/env bash
# pyarrow 26.0.1: a time that a Parquet file holds in 96 bits, as Spark 2, Hive and Impala write it, is read as another
# one where its year is before 1678 or after 2262. 9999-12-31, by which many tables say "no end", becomes 1816-03-29.
#
# The 96 bits are a day and the nanoseconds of that day, so the file holds the year. pyarrow reads them as nanoseconds in
# 64 bits unless it is given `coerce_int96_timestamp_unit`, and what does not fit goes around without an error; a cast
# between units refuses the same. Seen in November 2026. Our own reader asks for microseconds; a test holds such a file.
#
# Prints the years as they were written, as they are read, and as they are read in microseconds; fails where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 2>/dev/null
cat > "$folder/show.py" <<'PYTHON'
import io
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

written = pa.array([datetime(9999, 12, 31), datetime(2025, 3, 15)], pa.timestamp("us"))
file = io.BytesIO()
pq.write_table(pa.table({"until": written}), file, use_deprecated_int96_timestamps=True)
for options in ({}, {"coerce_int96_timestamp_unit": "us"}):
    file.seek(0)
    read = pq.read_table(file, **options).column("until")
    print(read.type, *(str(day)[:10] for day in read.cast(pa.string()).to_pylist()))
PYTHON
found=$("$folder/venv/bin/python" "$folder/show.py")
echo "written 9999-12-31 2025-03-15"
echo "$found"
[ "$found" = "timestamp[ns] 1816-03-29 2025-03-15
timestamp[us] 9999-12-31 2025-03-15" ]
