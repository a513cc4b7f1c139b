"""The driver: a checked program becomes a `CompiledMap`, its text, its code object and its digest.

Nothing is executed here, and nothing of the runtime imported: `fhirmap.compilation` makes a `Transformer` of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from fhirmap.analysis.checked import Checked
from fhirmap.collector import collecting_later
from fhirmap.compiler.compiled_map import CompiledMap
from fhirmap.compiler.explanation import Explanation
from fhirmap.compiler.lower import lower
from fhirmap.compiler.model_plan import source_plan
from fhirmap.compiler.plan import ModuleSection
from fhirmap.compiler.positions import compile_stamped, file_name
from fhirmap.compiler.printing import CodeLine, section_lines
from fhirmap.compiler.render import render_module
from fhirmap.version import __version__


@collecting_later
def compile_checked(checked: Checked, *, validator: ModuleSection | None = None, trace: bool = False) -> CompiledMap:
    """The Python of a checked program without errors; the same program gives the same bytes.

    ``trace``: Python that reports each step (`fhirmap.runtime.trace`), for looking into one record.
    """
    checks = tuple(section_lines(validator)) if validator is not None else ()
    digest = digest_of(checked, checks, trace=trace)
    lowered = lower(checked, digest=digest, version=__version__, validator=validator, trace=trace)
    printed = render_module(lowered.module, checks)
    name = checked.stages[-1].unit.name if checked.stages else "map"
    module_name = f"<generated from {name} {digest[:12]}>"
    code = compile_stamped(printed, lowered.texts, module_name)
    units = checked.program.units
    files = {file_name(unit.text): unit.name for unit in units}
    texts = {file_name(unit.text): unit.text.text for unit in units}
    return CompiledMap(name, printed.text, code, digest, files, texts, source_plan(checked))


def explained(checked: Checked) -> Explanation:
    """How a checked program without errors becomes Python, and where its code is not the shortest."""
    return lower(checked, digest="", version="").explanation


def digest_of(checked: Checked, checks: Iterable[CodeLine], *, trace: bool = False) -> str:
    """SHA-256 over the map texts, their code tables, the validator and the compiler's version."""
    seen = sha256(__version__.encode())
    for unit in checked.program.units:
        seen.update(unit.text.text.encode())
        for codes in unit.tables.values():
            for entry in codes:
                seen.update(repr((entry.source_code, entry.relation, entry.target_code)).encode())
        for query in unit.queries.values():
            seen.update(query.encode())
    for line in checks:
        seen.update(f"{line.text}\n".encode())
    seen.update(b"trace" if trace else b"")
    return seen.hexdigest()
