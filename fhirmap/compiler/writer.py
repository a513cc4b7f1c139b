"""Statements in the making: blocks that open, fill and close."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from fhirmap.compiler.python import Attribute, Do, Expr, For, If, Name, Statement, Try, method
from fhirmap.compiler.runtime_functions import RUN, run_call
from fhirmap.diagnostics import Span

ERROR = Name("error")


@dataclass(slots=True)
class OpenBlock:
    """A block that is not closed yet. ``header``: the statement whose body it is; None for a function or a rule."""

    header: If | For | None = None
    is_dropped_when_empty: bool = False
    statements: list[Statement] = field(default_factory=list)


class Writer:
    """The statements of one function. `open` opens a block in the current one; the `with` around it closes it."""

    def __init__(self) -> None:
        self._blocks = [OpenBlock()]

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What the current block holds."""
        return tuple(self._blocks[-1].statements)

    def add(self, statement: Statement) -> None:
        """A statement at the end of the current block."""
        self._blocks[-1].statements.append(statement)

    def append(self, span: Span | None, items: Expr, value: Expr) -> None:
        """`items.append(value)`."""
        self.add(Do(span, method(items, "append", value, raises=False)))

    def mark(self) -> int:
        """The place after the last statement of the current block, for `insert`."""
        return len(self._blocks[-1].statements)

    def insert(self, mark: int, statement: Statement) -> None:
        """A statement at a place of the current block that `mark` gave."""
        self._blocks[-1].statements.insert(mark, statement)

    def open(self, header: If | For, *, is_dropped_when_empty: bool = False) -> None:
        """Open the body of ``header``: what is added now is inside it."""
        self._blocks.append(OpenBlock(header, is_dropped_when_empty))

    @contextmanager
    def scope(self) -> Iterator[None]:
        """All blocks that are opened inside are closed at its end."""
        depth = len(self._blocks)
        yield
        self._close(depth)

    @contextmanager
    def block(self, header: If | For) -> Iterator[None]:
        """The body of ``header``."""
        with self.scope():
            self.open(header)
            yield

    @contextmanager
    def otherwise(self) -> Iterator[None]:
        """What is done where the test of the `if` before does not hold; nothing where this is empty."""
        depth = len(self._blocks)
        self._blocks.append(OpenBlock())
        yield
        self._close(depth + 1)
        body = tuple(self._blocks.pop().statements)
        before = self._blocks[-1].statements.pop()
        assert isinstance(before, If)
        self.add(replace(before, otherwise=body))

    @contextmanager
    def rule(self, *facts: Expr) -> Iterator[None]:
        """The statements of one rule: in a `try` of their own where one of them can raise. ``facts``: for its fault."""
        depth = len(self._blocks)
        self._blocks.append(OpenBlock())
        yield
        self._close(depth + 1)
        body = tuple(self._blocks.pop().statements)
        if any(statement.may_raise for statement in body):
            self.add(caught(body, *facts))
        else:
            self._blocks[-1].statements += body

    def _close(self, depth: int) -> None:
        while len(self._blocks) > depth:
            block = self._blocks.pop()
            assert block.header is not None
            if block.statements or not block.is_dropped_when_empty:
                self.add(replace(block.header, body=tuple(block.statements)))


def caught(body: tuple[Statement, ...], *facts: Expr, report: str = "fail") -> Try:
    """``body``, what it raises made a fault of the record; ``report``: the method of the run that does so, of the
    error and ``facts``."""
    return Try(None, body, Attribute(RUN, "caught"), ERROR, (Do(None, run_call(report, ERROR, *facts)),))
