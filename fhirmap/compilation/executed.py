"""Compiled maps as something to call. Apart from `transformers`, which loads the compiler: what is kept needs none."""

from __future__ import annotations

from fhirmap.compiler.compiled_map import CompiledMap
from fhirmap.runtime.transformer import Transformer

__all__ = ["transformer_from"]


def transformer_from(compiled: CompiledMap) -> Transformer:
    """The `Transformer` of a compiled map."""
    return Transformer(
        compiled.text,
        compiled.digest,
        name=compiled.name,
        store=compiled.store,
        code=compiled.code,
        files=compiled.files,
        texts=compiled.texts,
    )
