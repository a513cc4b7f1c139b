"""A contract becomes a validator: operation, profiles and rules are merged, then written as plain Python.

`contract` says what a result must satisfy, `merged` how several structures see one element, `shapes` what the full
check of a type asks, `invariants` turns FHIRPath rules into functions, `fast_path` writes the entry, which checks what
is usual in one pass, and `build` makes a section of a module of it all. The fast path and the full check know the same
contract and find the same faults.
"""
