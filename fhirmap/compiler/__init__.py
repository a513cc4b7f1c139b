"""From a checked program to a Python module: lowered to typed nodes, printed, stamped with the map's positions.

`lower` decides everything and writes it down as a plan of frozen nodes (`plan`, `python`): `readers`, `groups`,
`fhirpath` and `validator` make its functions; `printing` and `render` write the text; `positions` gives the compiled
statements the lines and columns of the map; `build` drives. A rule gets its `try` because a node of it can raise
(`runtime_functions` says which calls can), a module its imports because nodes use them: no printed text is read back.
Text of a map reaches Python as a literal (`repr`) or as a checked identifier alone.

The same map gives the same bytes. Absent on purpose: execution, and any import of the runtime that the generated module
calls; the compiler knows the runtime by the names it prints alone.
"""
