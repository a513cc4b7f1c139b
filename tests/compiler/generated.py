"""Maps compiled for a look at their Python: the paragraph of a rule, the body of a function."""

from __future__ import annotations

from textwrap import dedent

import fhirmap

PATIENT = 'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
MODEL = "model Row { a : string b : decimal n : integer many : string 0..* part : Part 0..* one : Part }\n"
PART = "model Part { x : string y : decimal }\n"


def compiled(rules: str, *, more: str = "", uses: str = "") -> fhirmap.Transformer:
    """A map from a row to a patient with some rules; ``more``: other groups."""
    group = f"group g(source src : Row, target tgt : Patient) {{\n{rules}\n}}\n"
    return fhirmap.compile_map(PATIENT + uses + MODEL + PART + group + more, validate=False)


def body_of(transformer: fhirmap.Transformer, function: str) -> str:
    """The statements of a function, without its heading and docstring."""
    _, _, rest = transformer.source.partition(f"\ndef {function}(")
    lines = rest.partition("\n\n\n")[0].splitlines()[2:]
    return dedent("\n".join(lines))


def rule(text: str, *, more: str = "", uses: str = "") -> str:
    """The statements of the only rule of a map, without its comment."""
    return body_of(compiled(text, more=more, uses=uses), "g").partition("\n")[2]


def try_of(block: str) -> str:
    """``block`` in the `try` of a rule."""
    inner = "".join(f"    {line}\n" for line in dedent(block).strip().splitlines())
    return f"try:\n{inner}except run.caught as error:\n    run.fail(error)"


def plain(block: str) -> str:
    """``block`` as it is."""
    return dedent(block).strip()
