"""Files: one, a folder, a pattern or an archive of them, read as records.

`FileSource` (`file_source.py`) makes records of rows for every kind of file alike: keys, revisions, lines, `where`,
order. A reader for each kind (`csv_reader.py`, `json_reader.py`, …) gives the rows of one file and knows nothing of
records. `source_files.py` says which files there are, `plan_files.py` opens them for a plan, `file_checks.py` says what
they lack. Each file is read once: `row_spool.py` keeps the rows until all keys are known, those of
Parquet as columns (`column_rows.py`).
"""
