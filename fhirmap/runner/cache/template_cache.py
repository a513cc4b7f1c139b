"""The code of the report's templates, kept for the next run beside the work on maps (`private_folder`)."""

from __future__ import annotations

from hashlib import sha256

import jinja2
from jinja2.bccache import Bucket, BytecodeCache

from fhirmap.runner.cache.map_inputs import product_state
from fhirmap.runner.cache.private_folder import PrivateFolder, user_folder

__all__ = ["template_cache"]


class _TemplateCache(BytecodeCache):
    """Templates as jinja2 compiled them. It compares their texts itself, but not all of its own version."""

    def __init__(self, files: PrivateFolder) -> None:
        self._files = files
        self._made_by = sha256(f"{jinja2.__version__} {product_state()}".encode()).digest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """The code of a template, where it was kept."""
        content = self._files.read(_name(bucket))
        if content is not None and content.startswith(self._made_by):
            bucket.bytecode_from_string(content[len(self._made_by) :])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps the code of a template."""
        self._files.write(_name(bucket), self._made_by + bucket.bytecode_to_string())


def _name(bucket: Bucket) -> str:
    return f"{bucket.key}.template"


def template_cache() -> BytecodeCache | None:
    """What keeps templates in this user's folder; None where there is none."""
    folder = user_folder()
    return _TemplateCache(PrivateFolder(folder)) if folder is not None else None
