"""From parsed maps to a checked program: names resolved, every variable, source and target typed, every fault reported.

The pipeline: `workspace` gathers map texts and their imports into one program; `scope` resolves names; `infer` types
each group for the arguments it is called with; `checks/` holds one fault a file; `check` runs them all and hands on
`Checked`, which is all that the compiler, lineage and the language server read.

No I/O, no exceptions for a bad map: text in, (result, diagnostics) out. Absent on purpose: execution. Nothing here
imports the runtime, so that an editor can analyse a map that it must not run.
"""
