"""Does a source keep the contract of `fhirmap.extending.Source`?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fhirmap.compilation.program import check_maps
from fhirmap.compiler.model_plan import source_plan
from fhirmap.errors import MapError
from fhirmap.records import Record
from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan
from fhirmap.sources import Source, SourceFactory
from fhirmap.sources.address import Address

__all__ = ["check_source", "plan_of"]


def plan_of(model: str) -> SourcePlan:
    """The plan of a `model … from …` of the mapping language: what a source gets beside its address.

    Raises: MapError where the text is no model with a place of its own.

    Example:
        >>> plan_of("model Stay from csv key 'id' { id : string 1..1 }").key
        ('id',)
    """
    name = model.split()[1]
    maps = check_maps(f"{model}\ngroup main(source src : {name}, target tgt) {{ }}\n", name="model", functions={})
    plan = source_plan(maps.checked)
    if plan is None:
        raise MapError(maps.diagnostics)
    return plan


def check_source(
    factory: SourceFactory, address: Address, plan: SourcePlan, *, keys: Sequence[str], faulty: Sequence[str] = ()
) -> None:
    """Opens the source at ``address``, where the test has put the records ``keys``, in their order, and reads it.

    ``faulty``: keys among them whose records the source itself finds something wrong with.

    Raises: AssertionError; ConfigError of the source where it cannot be read.
    """
    with factory(address, plan) as source:
        _check_layout(source)
        first = list(source.records())
        assert [record.key for record in first] == list(keys), f"keys {[record.key for record in first]}"
        assert [record.key for record in first if record.faults] == list(faulty), "records with faults of the source"
        again = list(source.records())
        assert [entry.key for entry in again] == list(keys), "the order differs at the second reading"
        for record in first:
            _check_record(record, plan)
        for key in dict.fromkeys(keys):
            found = [record.key for record in source.records([key])]
            assert found == [entry for entry in keys if entry == key], f"`records([{key!r}])` gives {found}"
        assert list(source.records(["no such key"])) == [], "a key that is not there has records"
        assert address.password == "" or address.password not in repr(source), "the password is in the source's repr"
    source.close()


def _check_layout(source: Source) -> None:
    found = source.check()
    assert [entry.code for entry in found if entry.is_error] == [], "`check` finds an error where all is there"
    assert source.columns(), "`columns` shows what is there"
    count = source.count()
    assert count is None or count >= 0, "`count` is None or a number of records"


def _check_record(record: Record, plan: SourcePlan) -> None:
    assert isinstance(record, Record) and record.key, "a record has a key"
    assert record.origin, "`origin` says where to look: `file.csv:14`"
    for fault in record.faults:
        shown = repr((fault.args, fault.path, fault.element))
        cells = [str(cell) for cell in record.values.values() if isinstance(cell, str) and len(cell) > 3]
        assert all(cell not in shown for cell in cells), f"a fault of {record.origin} holds a cell's value"
    _check_rows(record.values, plan.shape, may_lack=plan.kind == SourceKind.JSON)


def _check_rows(values: Mapping[str, object], shape: RowLayout, *, may_lack: bool) -> None:
    assert isinstance(values, Mapping), "`values` are cells by column"
    lacking = [column.name for column in shape.columns if column.element and column.name not in values]
    assert may_lack or not lacking, f"a row has every column of the plan, with None where it has no value: {lacking}"
    for child in shape.children:
        rows = values.get(child.key, ())
        assert isinstance(rows, list | tuple), f"child rows under `{child.key}` are a list, also where there is one"
        for row in rows:
            _check_rows(row, child.shape, may_lack=may_lack)
