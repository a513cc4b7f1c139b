"""The language: grammar, tree, parser, formatter.

Text in, (tree, diagnostics) out. Invariants: a text never raises, whatever is in it; every node has the span that it
was read from; equality of trees ignores spans; the grammar files are the one truth, the tables beside this file are
made from them. Absent on purpose: names are not looked up and types not known here; nothing is read but the grammar.

How a text becomes a tree: `driver` feeds lark's tables and goes on after errors; `builder` (with `expressions`,
`models`, `metadata`) makes the frozen `nodes` of lark's tree; `format` goes back to text, `structuremap` to JSON and
back.
"""
