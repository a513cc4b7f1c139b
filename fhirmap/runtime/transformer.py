"""`Transformer`: a compiled map as a value. Call it with a record, get a `Result`; hand it to threads, workers, Spark.

It holds the module's text and makes its functions from it; a pickle carries that text, so the other side needs the
runtime alone. Calls share nothing: no I/O, no global state, and the caller's record is only read.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from fhirmap.records import Result
from fhirmap.stores import StorePlan


class Transformer:
    """A compiled map.

    ``source``: the generated module's text. ``digest``: SHA-256 of the map texts and the compiler's version.
    ``store``: where the records of the first model live, for sources; None where the map does not say.
    """

    def __init__(
        self,
        source: str,
        digest: str,
        *,
        name: str = "map",
        store: StorePlan | None = None,
        code: CodeType | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.source = source
        self.digest = digest
        self.name = name
        self.store = store
        module_name = f"<generated from {name} {digest[:12]}>"
        if code is None:
            code = compile(source, module_name, "exec", dont_inherit=True)
        _remember(module_name, source)
        self._module: dict[str, Any] = {"__name__": f"fhirmap_generated_{digest[:12]}", "MARKS": {}}
        if files is not None:
            self._module.update(STAMPED=True, FILES=dict(files))
        exec(code, self._module)
        self._transform: Callable[[Mapping[str, Any], bool], Result] = self._module["transform"]

    def __call__(self, record: Mapping[str, Any], *, strict: bool = False) -> Result:
        """The result for one record: a resource or none (out of scope), notes, and all its faults.

        ``strict`` raises the first failure of a rule instead, with a traceback that shows the map's line; it is for
        looking into one record, and never needed in a run.
        """
        return self._transform(record, strict)

    def validate(self, resource: dict[str, Any]) -> Result:
        """A resource made elsewhere, judged by this map's contract; without a contract there is nothing to say."""
        judge: Callable[[dict[str, Any]], Result] | None = self._module.get("judge")
        return judge(resource) if judge is not None else Result(resource)

    @property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Columns that are read, by table; the store's own name is empty where it has none."""
        if self.store is None:
            return {}
        found: dict[str, tuple[str, ...]] = {self.store.name: self.store.shape.column_names}
        for shape in self.store.shape.walk():
            for child in shape.children:
                known = found.get(child.table, ())
                found[child.table] = tuple(dict.fromkeys((*known, *child.shape.column_names)))
        return found

    @property
    def globals(self) -> Mapping[str, Any]:
        """The generated module's names: its functions and tables."""
        return self._module

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.source, self.digest, self.name, self.store)

    def __repr__(self) -> str:
        return f"<Transformer of {self.name} {self.digest[:12]}>"


def _restored(source: str, digest: str, name: str, store: StorePlan | None) -> Transformer:
    return Transformer(source, digest, name=name, store=store)


def _remember(name: str, text: str) -> None:
    """Let tracebacks show the lines of a text that is in no file; no time stamp, so that it stays."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
