"""The language: grammar, tree, parser, formatter. Text in, (tree, diagnostics) out; no I/O but reading the grammar once."""
