"""`Transformer`: a compiled map as a value. Call it with a record, get a `Result`; hand it to threads, workers, Spark.

It holds the module's text and makes its functions from it; a pickle carries that text, so the other side needs the
runtime alone. Calls share nothing but what was found plain of a catalogue's texts: no I/O, and the caller's record is
only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from gc import disable, enable, isenabled
from types import CodeType
from typing import Any

from fhirmap.records import Fault, ReadRecord, Result
from fhirmap.runtime.context import Places, RecordRun, TooManyRuleSteps, position_of
from fhirmap.runtime.source_lines import keep_lines
from fhirmap.runtime.steps import MOST_STEPS
from fhirmap.source_plan import SourcePlan


class Transformer:
    """A compiled map.

    ``source``: the generated module's text. ``digest``: SHA-256 of the map texts and the compiler's version.
    ``store``: where the records of the first model live, for sources; None where the map does not say.
    """

    def __init__(  # noqa: PLR0913 - named settings
        self,
        source: str,
        digest: str,
        *,
        name: str = "map",
        store: SourcePlan | None = None,
        code: CodeType | None = None,
        files: Mapping[str, str] | None = None,
        texts: Mapping[str, str] | None = None,
        linked: Mapping[str, Any] | None = None,
    ) -> None:
        """``files``, ``texts``: name in code objects -> name of the map as given, and its characters.

        ``linked``: what ``source`` calls and reads without holding it.
        """
        self._source = source
        self.digest = digest
        self.name = name
        self.store = store
        module_name = f"<generated from {name} {digest[:12]}>"
        if code is None:
            code = compile(source, module_name, "exec", dont_inherit=True)
        self._code = code
        keep_lines(self, {module_name: source, **(texts or {})})
        self._module: dict[str, Any] = {**(linked or {}), "__name__": f"fhirmap_generated_{digest[:12]}"}
        if files is not None:
            self._module["_files"] = dict(files)
        exec(code, self._module)  # noqa: S102 - the module that the compiler wrote
        # What the generated module offers, under names that no map can take; nothing else reads its globals.
        self._transform: Callable[..., Result] = self._module["_transform"]
        self._validate: Callable[[Any, list[Fault]], None] | None = self._module.get("_validate")
        self._read: Callable[[Any, list[Fault]], Mapping[str, Any]] | None = self._module.get("_read")
        self._places: Places = self._module["_places"]
        self._runs: type[RecordRun] = self._module["_Run"]

    def __call__(self, record: Mapping[str, Any], *, strict: bool = False) -> Result:
        """The result for one record: a resource or none (out of scope), notes, and all its faults.

        ``strict`` raises the first failure of a rule instead, with a traceback that shows the map's line; it is for
        looking into one record, and never needed in a run.
        """
        # As `collecting_later`, which would be one call more for each record: a large one has much that stays.
        if not isenabled():
            try:
                return self._transform(record, strict)
            except TooManyRuleSteps as error:
                return self._too_much(error)
        disable()
        try:
            return self._transform(record, strict)
        except TooManyRuleSteps as error:
            return self._too_much(error)
        finally:
            enable()

    def _too_much(self, error: TooManyRuleSteps) -> Result:
        """The outcome of a record that takes too many steps: nothing of it, and the place in the map."""
        position = position_of(error.__traceback__, self._module)
        fault = Fault("FM414", args={"limit": MOST_STEPS}, variant="steps", position=position, rule="record")
        return Result(None, faults=(fault,))

    def map(self, records: Iterable[Mapping[str, Any]], *, workers: int = 1) -> Iterator[Result]:
        """The result for each record, in their order; ``workers``: from so many processes, this one where it is 1.

        Records are taken as results are: no more than some hundred for each worker are under way. What ``records``
        raises comes after the results of those before. The workers end with the iterator.

        Raises: ConfigError FM787 where a worker ended, or a record or result cannot be pickled; ValueError for fewer
        workers than 1.
        """
        if workers < 1:
            raise ValueError(workers)
        if workers == 1:
            return map(self, records)
        from fhirmap.runtime.workers import one_by_one

        return one_by_one(self, records, workers)

    def traced(self, record: Mapping[str, Any], trace: object, *, strict: bool = False) -> Result:
        """As a call, each step noted in ``trace``: only where the map was compiled for tracing (`Tracer`)."""
        try:
            return self._transform(record, strict, trace)
        except TooManyRuleSteps as error:
            return self._too_much(error)

    def read(self, record: Mapping[str, Any]) -> ReadRecord:
        """The record as the map's model reads it, with what of it cannot be read; as it is where no model reads it."""
        if self._read is None:
            return ReadRecord(record)
        run = self._runs()
        values: Mapping[str, Any] = {}
        try:
            values = self._read(record, run.faults)
        except run.caught as error:  # a record of quite another shape
            run.abandon(error)
        return ReadRecord(values, tuple(run.faults))

    def validate(self, resource: dict[str, Any]) -> Result:
        """A resource made elsewhere, validated against this map's contract; valid where there is no contract."""
        if self._validate is None:
            return Result(resource)
        run = self._runs()
        try:
            self._validate(resource, run.faults)
        except run.caught as error:  # nested deeper than Python goes
            run.abandon(error)
        return run.result(resource, self._places)

    @property
    def source(self) -> str:
        """The generated module's text, with all that it needs beside the runtime."""
        return self._source

    @property
    def names(self) -> frozenset[str]:
        """What the module imports, calls and reads of others, by name, wherever in it."""
        found: set[str] = set()
        waiting = [self._code]
        while waiting:
            code = waiting.pop()
            found.update(code.co_names)
            waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        return frozenset(found)

    @property
    def places(self) -> Places:
        """Element of the result -> position of the rule that makes it, and the source columns it comes from."""
        return self._places

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

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.source, self.digest, self.name, self.store)

    def __repr__(self) -> str:
        return f"<Transformer of {self.name} {self.digest[:12]}>"


def _restored(source: str, digest: str, name: str, store: SourcePlan | None) -> Transformer:
    return Transformer(source, digest, name=name, store=store)
