"""A `model` block from what a source holds: a live table, a CSV file, the list of a JSON document.

The source's layout and a sample of its values go in; models of the language's own tree come out, each with remarks for
the analyst who goes on from there: what the sample cannot say, what is not read, which tables could be joined. No value
of the source is in them. `text.py` writes them.
"""
