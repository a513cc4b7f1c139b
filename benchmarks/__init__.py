"""Measurements: ratios against hand-written Python and installed peers, outputs compared before anything is timed."""
