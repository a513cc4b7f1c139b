"""From a checked program to a Python module: lowered to a plan, printed by templates, stamped with the map's positions.

`lower` decides everything and writes it down as flat frozen steps (`plan`); `templates/` only print them; `positions`
gives the compiled statements the lines and columns of the map; `build` drives. Text of a map reaches Python only as a
literal (`repr`) or as a checked identifier: `names.Code` is the only kind of string that `render` lets through.

The same map gives the same bytes. Absent on purpose: execution, and any import of the runtime that the generated module
calls; the compiler knows the runtime by the names it prints alone.
"""
