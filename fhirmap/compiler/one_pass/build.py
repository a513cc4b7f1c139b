"""The function that is a record's whole way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fhirmap.compiler.explanation import CodeCause, CodeReason
from fhirmap.compiler.names import Names
from fhirmap.compiler.one_pass.inlining import WATCHED, Inlining
from fhirmap.compiler.one_pass.kinds import Kind, Kinds
from fhirmap.compiler.one_pass.rebinding import Rebinding
from fhirmap.compiler.one_pass.rows import LateWrite, RowsAsNames
from fhirmap.compiler.plan import PythonFunction
from fhirmap.compiler.python import (
    Assign,
    Attribute,
    Call,
    Expr,
    If,
    Literal,
    Name,
    Not,
    Return,
    Statement,
    Try,
    is_not_none,
)
from fhirmap.compiler.python.rewriting import rewritten, rewritten_block, statements_in
from fhirmap.compiler.runtime_functions import RUN, run_call
from fhirmap.compiler.writer import ERROR
from fhirmap.diagnostics import Span

ONE_PASS = Name("_in_one_pass")
_FAULTS = Name("faults")
_LARGEST = 4_000
"""Statements of a module that is written twice at most: a larger one would take its time to compile, and its memory."""
_DOC = "The same in one piece; None where `_transform` has to go step by step: something failed that no rule expected."


@dataclass(frozen=True, slots=True)
class OnePass:
    """The one function, None where nothing is gained, and how it came about.

    ``placed``: names of the functions that are part of it. ``left``: what is not, or not in names of its own; in the
    place of a span None for what the program as a whole is the cause of.
    """

    function: PythonFunction | None
    placed: tuple[str, ...] = ()
    left: tuple[tuple[str, CodeCause, Span | None], ...] = ()


def one_pass(
    transform: PythonFunction, functions: Iterable[PythonFunction], names: Names, records: Mapping[str, str]
) -> OnePass:
    """The record's way that ``transform`` is, as one function.

    ``functions``: those of the readers and groups. ``names``: what is free inside a function. ``records``: names that
    ``transform`` gives to what it reads, and to what one stage makes for the next -> what they are called.
    """
    functions = tuple(functions)
    if sum(1 for function in functions for _ in statements_in(function.body)) > _LARGEST:
        return OnePass(None, (), (("", CodeCause(CodeReason.TOO_LARGE), None),))
    inlining = Inlining((transform, *functions), names)
    rebinding = Rebinding(names, inlining.bases)
    body, _ = rebinding.block(inlining.block(_whole(transform.body, transform.flags)), {})
    kinds = Kinds()
    kinds.block(body)
    kinds.settle()
    rewritten_body = _as_names(body, kinds, names)
    left = (*_functions_left(inlining), *_dicts(kinds, rebinding, records))
    if rewritten_body is None:
        return OnePass(None, (), (*left, ("", CodeCause(CodeReason.NO_RECORD_OF_ITS_OWN), None)))
    body = rewritten_block(rewritten_body, lambda node: _original(node, rebinding, kinds))
    leave = Return(None, run_call("leave", ERROR))
    whole = (Try(None, body, Name("Exception"), ERROR, (leave,)),)
    return OnePass(PythonFunction(ONE_PASS, transform.parameters, _DOC, whole), tuple(inlining.placed), left)


def before_steps(transform: PythonFunction) -> PythonFunction:
    """``transform``, which takes its steps where the one pass gives no result, or where failures are to be seen."""
    found = Name("result")
    strict = transform.flags[0]
    ask = Assign(None, (found,), Call(ONE_PASS, transform.parameters))
    done = If(None, is_not_none(found), (Return(None, found),))
    return replace(transform, body=(If(None, Not(strict), (ask, done)), *transform.body))


def _as_names(body: Sequence[Statement], kinds: Kinds, names: Names) -> tuple[Statement, ...] | None:
    """Statements with names in the place of rows; None where there is no such row."""
    while any(kinds.is_own(name) for name in kinds.made):
        try:
            return RowsAsNames(kinds, names.inner()).block(body)
        except LateWrite as late:
            kinds.name(late.name).seen = (CodeCause(CodeReason.WRITTEN_LATE), late.span)
            kinds.settle()
    return None


def _functions_left(inlining: Inlining) -> Iterator[tuple[str, CodeCause, Span | None]]:
    """The functions that stay functions."""
    for name, function in inlining.functions.items():
        reason = inlining.left.get(name)
        if reason is not None:
            yield name, CodeCause(reason), function.span


def _dicts(
    kinds: Kinds, rebinding: Rebinding, records: Mapping[str, str]
) -> Iterator[tuple[str, CodeCause, Span | None]]:
    """The records that stay dicts, without those that they hold."""
    seen: set[Kind] = set()
    waiting = [(kinds.name(name), title) for name, title in records.items()]
    while waiting:
        kind, title = waiting.pop(0)
        if kind in seen:
            continue
        seen.add(kind)
        if kind.is_row and kind.seen is not None:
            cause, span = kind.seen
            original = rebinding.original.get(cause.what)
            yield title, cause if original is None else replace(cause, what=original.text), span
            continue
        waiting += [(inner.root, f"{title}.{key}") for key, inner in kind.elements.items()]
        if kind.item is not None:
            waiting.append((kind.item.root, title))


def _original(node: Expr, rebinding: Rebinding, kinds: Kinds) -> Expr | None:
    """A name that holds no row is the one that it was."""
    if isinstance(node, Name) and not kinds.is_own(node.text):
        return rebinding.original.get(node.text)
    return None


def _whole(body: Sequence[Statement], flags: Collection[Name]) -> list[Statement]:
    """The statements of a record's way without what looks after failures between them."""
    found: list[Statement] = []
    for statement in body:
        if isinstance(statement, Try):
            found += _whole(statement.body, flags)
        elif isinstance(statement, If) and (statement.test in flags or any(map(_watches, statement.body))):
            continue
        elif isinstance(statement, If) and isinstance(statement.body[-1], Return):
            # What of the record could not be read, and rules asked for, is known where it is a dict.
            unread = If(None, _FAULTS, (Return(None, Literal(None)),))
            found.append(replace(statement, body=(unread, Return(None, run_call("nothing")))))
        elif isinstance(statement, Assign) and statement.targets == (RUN,):
            found += [statement, Assign(None, (_FAULTS,), Attribute(RUN, "faults"))]
        else:
            found.append(rewritten(statement, lambda node: _FAULTS if node == Attribute(RUN, "faults") else None))
    return found


def _watches(statement: Statement) -> bool:
    value = statement.value if isinstance(statement, Assign) else None
    return isinstance(value, Call) and value.function == WATCHED
