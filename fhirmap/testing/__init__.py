"""What the tests of a plug-in call: does a source, a sink, a function keep the contract of `fhirmap.extending`?

Each function raises AssertionError with what is wrong, in words; no test framework is needed. Nothing here is used by
fhirmap itself.

Example:
    def test_my_source(tmp_path):
        check_source(IniFile, address, plan, keys=["12", "13"])
"""

from fhirmap.testing.functions import check_functions
from fhirmap.testing.sinks import check_receipt, check_sink, envelope_of
from fhirmap.testing.sources import check_source, plan_of

__all__ = ["check_functions", "check_receipt", "check_sink", "check_source", "envelope_of", "plan_of"]
