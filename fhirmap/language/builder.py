"""lark's tree of a whole map → `Map`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

from lark import Token, Tree

from fhirmap.diagnostics import Span
from fhirmap.diagnostics.nearest import nearest
from fhirmap.fhir_types import PRIMITIVES
from fhirmap.language import nodes as n
from fhirmap.language.code_rows import CodeRows
from fhirmap.language.dialects import as_spelt
from fhirmap.language.expression_text import expression_to_text
from fhirmap.language.expressions import (
    MAXIMUM_BLOCKS,
    ExpressionBuilder,
    Part,
    end_of,
    first_token,
    last_token,
    start_of,
)
from fhirmap.language.faults import Faults
from fhirmap.language.metadata import MetadataReader
from fhirmap.language.models import ModelBuilder
from fhirmap.texts import Listing


class MapBuilder:
    """Builds the nodes of one text, noting in ``faults`` what the grammar alone cannot refuse.

    ``code_rows``: start and end of long runs of rows of concept maps, which are not in the tree.
    """

    def __init__(self, faults: Faults, code_rows: Sequence[tuple[int, int]] = ()) -> None:
        self._faults = faults
        self._code_rows = code_rows
        self._expressions = ExpressionBuilder(faults)
        self._metadata = MetadataReader(self._expressions)
        self._models = ModelBuilder(self._expressions)

    def map(self, tree: Tree[Token], comments: Iterable[n.MapComment]) -> n.Map:
        """The map that ``tree`` is."""
        found: dict[type, list[Any]] = {}
        for part in subtrees(tree):
            node = self._declaration(part)
            if node is not None:
                self._check_place(node, found)
                found.setdefault(type(node), []).append(node)
        declarations = found.get(n.MapDeclaration, [])
        for second in declarations[1:]:
            self._faults.add("FM017", second.span, what="map")
        everything = self._faults.span(0, len(self._faults.text.text))
        all_comments = sorted((*comments, *self._metadata.comments), key=lambda comment: comment.span.start)
        return n.Map(
            metadata=tuple(found.get(n.Metadata, ())),
            declaration=declarations[0] if declarations else None,
            concept_maps=tuple(found.get(n.ConceptMapDeclaration, ())),
            uses=tuple(found.get(n.Uses, ())),
            imports=tuple(found.get(n.MapImport, ())),
            lets=tuple(found.get(n.Let, ())),
            models=tuple(found.get(n.Model, ())),
            groups=tuple(found.get(n.Group, ())),
            span=everything,
            comments=tuple(all_comments),
        )

    def _declaration(self, tree: Tree[Token]) -> n.Declaration | None:
        match tree.data:
            case "metadata_declaration":
                return self._metadata.read(first_token(tree))
            case "map_declaration":
                return n.MapDeclaration(self._text(tree.children[1]), self._text(tree.children[3]), self._span(tree))
            case "structure_declaration":
                return self._uses(tree)
            case "import_declaration":
                return n.MapImport(self._text(tree.children[1]), self._span(tree), self._span(tree.children[1]))
            case "constant_declaration":
                return n.Let(self._text(tree.children[1]), self._fhirpath(tree.children[3]), self._span(tree))
            case "concept_map_declaration":
                return self._concept_map(tree) if _was_written(tree) else None
            case "model_declaration":
                return self._models.model(tree) if _was_written(tree) else None
            case _:
                return self._group(tree) if _was_written(tree) else None

    def _check_place(self, node: n.Declaration, found: dict[type, list[Any]]) -> None:
        """Declarations come before the first group; models may be anywhere."""
        groups = found.get(n.Group)
        if groups and not isinstance(node, n.Group | n.Model):
            word = first_word(node.span)
            self._faults.add("FM008", self._faults.span(node.span.start, node.span.start + len(word)), word=word)

    def _uses(self, tree: Tree[Token]) -> n.Uses:
        alias, alias_span = None, None
        if is_token(tree.children[2], "ALIAS"):
            alias, alias_span = self._text(tree.children[3]), self._span(tree.children[3])
        modes = [part for part in tree.children if isinstance(part, Token) and part.type in _MODES]
        mode = cast("Literal['source', 'queried', 'target', 'produced']", str(modes[-1]))
        url = tree.children[1]
        return n.Uses(self._text(url), alias, mode, self._span(tree), self._span(url), alias_span)

    # --- concept maps -------------------------------------------------------------------------------------------------

    def _concept_map(self, tree: Tree[Token]) -> n.ConceptMapDeclaration:
        prefixes: list[n.ConceptMapPrefix] = []
        unmapped: list[n.ConceptMapUnmapped] = []
        codes: list[n.ConceptMapCode] = []
        table: n.ConceptMapTable | None = None
        for part in subtrees(tree):
            match part.data:
                case "concept_map_prefix":
                    name, url = self._text(part.children[1]), self._text(part.children[3])
                    prefixes.append(n.ConceptMapPrefix(name, url, self._span(part)))
                case "concept_map_unmapped":
                    unmapped.append(self._unmapped(part))
                case "concept_map_code_map":
                    codes.append(self._code_map(part))
                case "concept_map_table":
                    table = self._models.concept_map_table(part)
        identity = tree.children[1]
        return n.ConceptMapDeclaration(
            self._text(identity).removeprefix("#"),
            tuple(prefixes),
            tuple(unmapped),
            self._with_rows(tuple(codes), self._span(tree)),
            table,
            self._span(tree),
            self._span(identity),
        )

    def _with_rows(self, codes: tuple[n.ConceptMapCode, ...], span: Span) -> Sequence[n.ConceptMapCode]:
        """The rows of the tree with the long runs of the concept map at ``span``."""
        runs = [run for run in self._code_rows if span.start <= run[0] and run[1] <= span.end]
        if not runs:
            return codes
        placed: list[tuple[int, n.ConceptMapCode | tuple[int, int]]] = [
            *((code.span.start, code) for code in codes),
            *((run[0], run) for run in runs),
        ]
        return CodeRows(self._faults.text, [part for _, part in sorted(placed, key=lambda entry: entry[0])])

    def _unmapped(self, tree: Tree[Token]) -> n.ConceptMapUnmapped:
        prefix = self._text(tree.children[2]) if is_token(tree.children[1], "FOR") else None
        last = tree.children[-1]
        if isinstance(last, Token):
            return n.ConceptMapUnmapped(str(last), prefix, self._span(tree))
        return n.ConceptMapUnmapped("code", prefix, self._span(tree), self._code(last), self._span(last))

    def _code_map(self, tree: Tree[Token]) -> n.ConceptMapCode:
        source, relation = tree.children[0], first_token(tree.children[1])
        target = tree.children[2] if len(tree.children) > 2 else None
        target_prefix, target_code = self._code(target) if target is not None else ("", "")
        target_span = self._span(target if target is not None else relation)
        return n.ConceptMapCode(
            *self._code(source),
            str(relation),
            target_prefix,
            target_code,
            self._span(tree),
            self._span(source),
            target_span,
        )

    def _code(self, part: Part) -> tuple[str, str]:
        assert isinstance(part, Tree)
        return self._text(part.children[0]), self._text(part.children[2])

    # --- groups -------------------------------------------------------------------------------------------------------

    def _group(self, tree: Tree[Token]) -> n.Group:
        parts = {str(part.data): part for part in subtrees(tree)}
        name = parts["identifier"]
        listed = parts.get("parameters", tree)
        mode = parts.get("type_mode") or parts.get("legacy_type_mode")
        extends = parts.get("extends")
        return n.Group(
            self._text(name),
            tuple(self._parameter(part) for part in subtrees(listed) if part.data in _PARAMETERS),
            self._text(extends.children[1]) if extends else None,
            _type_mode(mode) if mode else None,
            tuple(self._rules(parts.get("map_rules", tree))),
            self._span(tree),
            self._span(name),
            self._span(extends.children[1]) if extends else None,
        )

    def _parameter(self, tree: Tree[Token]) -> n.Parameter:
        words = [str(part) for part in tree.children if isinstance(part, Token) and part.type in _MODES]
        mode: Literal["source", "target"] = "target" if words[-1] == "target" else "source"
        type_part = next((part for part in subtrees(tree) if part.data == "type_identifier"), None)
        name = self._text(tree.children[1])
        if type_part is None:
            return n.Parameter(mode, name, None, self._span(tree))
        type_name = type_part.children[1]
        return n.Parameter(mode, name, self._type(type_name), self._span(tree), self._span(type_name))

    def _rules(self, tree: Tree[Token], depth: int = 0) -> Iterator[n.Rule]:
        if depth > MAXIMUM_BLOCKS:
            self._faults.add("FM013", self._span(tree.children[0]), variant="blocks", limit=MAXIMUM_BLOCKS)
            return
        for part in subtrees(tree):
            if part.data == "map_rule" and _was_written(part):
                yield self._rule(part, depth)

    def _rule(self, tree: Tree[Token], depth: int) -> n.Rule:
        sources: tuple[n.RuleSource, ...] = ()
        targets: tuple[n.RuleTarget, ...] = ()
        dependent: n.Dependent | None = None
        name: str | None = None
        batch: list[Tree[Token]] = []
        for part in subtrees(tree):
            match part.data:
                case "qualified_identifier":
                    name = self._expressions.dotted_name(part)
                case "rule_sources":
                    sources = tuple(self._source(entry) for entry in subtrees(part))
                case "rule_targets":
                    targets = tuple(self._target(entry) for entry in subtrees(part))
                case "batch_target":
                    targets = (self._batch_context(part),)
                    batch = [*subtrees(part)][1:]
                    self._check_batch(sources, [(self._text(part), self._span(part)) for part in batch])
                case "dependent_expression":
                    dependent = self._dependent(part, depth)
                case "rule_name":
                    name = self._text(part)
                    self._check_bare_name(first_token(part))
        if not targets and dependent is None and name is None:
            sources, name = _name_apart(sources)
        self._check_messages(sources)
        return n.Rule(
            sources,
            targets,
            dependent,
            name,
            self._span(tree),
            tuple(self._text(part) for part in batch),
            tuple(self._span(part) for part in batch),
        )

    def _check_bare_name(self, token: Token) -> None:
        """A name without quotes may be a misspelt keyword: `tgt.a frist;`."""
        meant = nearest(str(token), _WORDS_BEFORE_NAME) if token.type == "BARE_RULE_NAME" else None
        if meant is not None:
            self._faults.add("FM004", self._span(token), word=str(token), meant=meant)

    def _check_messages(self, sources: tuple[n.RuleSource, ...]) -> None:
        for source in sources:
            condition = source.check.expression if source.check is not None else None
            if source.check is not None and isinstance(condition, n.FPLiteral) and condition.kind == "string":
                self._faults.add("FM027", source.check.span, variant="condition", text=source.check.span.snippet)
            if source.message is not None and not source.message.strip():
                self._faults.add("FM027", source.message_span or source.span, variant="empty")

    def _check_batch(self, sources: tuple[n.RuleSource, ...], names: Sequence[tuple[str, Span]]) -> None:
        for source in sources[1:]:
            self._faults.add("FM019", source.span)
        if sources[0].variable is not None and len(names) == 1 and names[0][0] == sources[0].variable:
            self._faults.add("FM019", names[0][1], variant="assign", name=names[0][0])
            return
        plain = n.RuleSource(sources[0].context, sources[0].elements, sources[0].span, sources[0].context_span)
        if sources[0] != plain:
            self._faults.add("FM019", sources[0].span)

    def _source(self, tree: Tree[Token]) -> n.RuleSource:
        context = tree.children[0]
        assert isinstance(context, Tree)
        options: dict[str, Any] = {}
        if context.data == "search":
            word = context.children[0]
            if self._text(word) != "search":
                self._faults.add("FM020", self._span(word), name=self._text(word))
            options["search"] = self._fhirpath(context.children[2])
            names, spans = ["@search"], [self._span(word)]
        else:
            names, spans = self._path(context)
        for part in subtrees(tree):
            if part is not context:
                self._source_option(part, options)
        return n.RuleSource(names[0], tuple(names[1:]), self._span(tree), spans[0], tuple(spans[1:]), **options)

    def _source_option(self, tree: Tree[Token], options: dict[str, Any]) -> None:
        found: dict[str, Any]
        match tree.data:
            case "type_identifier":
                found = {"type": self._type(tree.children[1]), "type_span": self._span(tree.children[1])}
            case "source_cardinality":
                minimum, maximum = self._models.cardinality(tree)
                found = {"minimum": minimum, "maximum": -1 if maximum is None else maximum}
            case "source_default":
                found = {"default": self._fhirpath(tree.children[1])}
            case "source_list_mode":
                found = {"list_mode": str(tree.children[0])}
            case "alias":
                found = {"variable": self._text(tree.children[1]), "variable_span": self._span(tree.children[1])}
            case "check_with_message":
                text = tree.children[2]
                found = {"check": self._condition(tree, options)}
                found |= {"message": self._text(text), "message_span": self._span(text)}
            case _:
                found = {str(tree.data).removesuffix("_clause"): self._condition(tree, options)}
        if found.keys() & options.keys():
            self._faults.add("FM017", self._span(tree), what=_OPTION_WORDS[str(tree.data)])
        options.update(found)

    def _condition(self, tree: Tree[Token], options: dict[str, Any]) -> n.FHIRPath:
        """The expression of `where`, `check` or `log`; `where (…) as v` means an alias that comes too late."""
        part = tree.children[1]
        found = self._fhirpath(part)
        expression = found.expression
        if not isinstance(part, Tree) or part.data != "type_expression" or not isinstance(expression, n.FPType):
            return found
        name, alias = expression.type_name, self._span(part.children[2])
        late = expression.operator == "as" and "variable" not in options and name[:1].islower()
        if not late or name in PRIMITIVES:
            return found
        self._faults.add("FM026", alias, name=name, word=str(tree.children[0]))
        options.update(variable=name, variable_span=alias)
        return self._fhirpath(part.children[0])

    def _target(self, tree: Tree[Token]) -> n.RuleTarget:
        head = tree.children[0]
        assert isinstance(head, Tree)
        options: dict[str, Any] = {}
        modes: list[str] = []
        for part in subtrees(tree):
            if part.data == "alias":
                if "variable" in options:
                    self._faults.add("FM017", self._span(part), what="as")
                options |= {"variable": self._text(part.children[1]), "variable_span": self._span(part.children[1])}
            elif part.data == "target_list_mode":
                modes.append(str(part.children[0]))
                if len(part.children) > 1:
                    options["share"] = self._text(part.children[1])
            elif part.data == "transform":
                options["transform"] = self._transform(part)
        span = self._span(tree)
        if head.data != "qualified_identifier":
            return n.RuleTarget(None, (), span, transform=self._transform(head), list_modes=tuple(modes), **options)
        names, spans = self._path(head)
        return n.RuleTarget(
            names[0], tuple(names[1:]), span, spans[0], tuple(spans[1:]), list_modes=tuple(modes), **options
        )

    def _batch_context(self, tree: Tree[Token]) -> n.RuleTarget:
        head = tree.children[0]
        assert isinstance(head, Tree)
        names, spans = self._path(head)
        return n.RuleTarget(names[0], tuple(names[1:]), self._span(head), spans[0], tuple(spans[1:]))

    def _transform(self, tree: Tree[Token]) -> n.TransformCall:
        part = tree.children[0] if tree.data == "transform" else tree
        assert isinstance(part, Tree)
        span = self._span(part)
        match part.data:
            case "group_invocation":
                name = part.children[0]
                call = n.TransformCall(self._text(name), self._arguments(part), "call", span, self._span(name))
                return as_spelt(call, self._faults)
            case "parenthesized_term":
                return n.TransformCall("evaluate", (self._fhirpath(part),), "expression", span, span)
            case "qualified_identifier":
                expression = self._member_path(part)
                path = n.FHIRPath(expression, expression_to_text(expression), span)
                return n.TransformCall("copy", (path,), "path", span, span)
            case "negative_literal":
                literal = n.FPUnary("-", self._expressions.literal(last_token(part)), span)
                value = n.FHIRPath(literal, expression_to_text(literal), span)
                return n.TransformCall("copy", (value,), "literal", span, span)
            case _:
                return n.TransformCall("copy", (self._fhirpath(part),), "literal", span, span)

    def _dependent(self, tree: Tree[Token], depth: int) -> n.Dependent:
        calls: list[n.GroupCall] = []
        rules: tuple[n.Rule, ...] | None = None
        for part in subtrees(tree):
            if part.data == "group_invocation":
                name = part.children[0]
                calls.append(n.GroupCall(self._text(name), self._arguments(part), self._span(part), self._span(name)))
            else:
                rules = tuple(self._rules(part, depth + 1))
        return n.Dependent(tuple(calls), rules, self._span(tree))

    def _arguments(self, tree: Tree[Token]) -> tuple[n.FHIRPath, ...]:
        found = []
        for part in list(subtrees(tree))[1:]:
            if part.data == "sort_argument":
                word = first_token(part.children[1])
                self._faults.add("FM016", self._span(word), word=str(word), function=self._text(tree.children[0]))
            found.append(self._fhirpath(part.children[0] if part.data == "sort_argument" else part))
        return tuple(found)

    # --- parts --------------------------------------------------------------------------------------------------------

    def _fhirpath(self, part: Part) -> n.FHIRPath:
        """The expression of ``part``, one pair of redundant parentheses dropped from what it covers."""
        inner = part.children[1] if isinstance(part, Tree) and part.data == "parenthesized_term" else part
        expression = self._expressions.expression(inner)
        return n.FHIRPath(expression, expression_to_text(expression), self._span(inner))

    def _member_path(self, tree: Tree[Token]) -> n.FPExpr:
        names, spans = self._path(tree)
        node: n.FPExpr | None = None
        for name, span in zip(names, spans, strict=True):
            node = n.FPMember(node, name, self._faults.span(spans[0].start, span.end), span)
        assert node is not None
        return node

    def _path(self, tree: Tree[Token]) -> tuple[list[str], list[Span]]:
        parts = [part for part in tree.children if not is_token(part, "DOT")]
        return [self._text(part) for part in parts], [self._span(part) for part in parts]

    def _type(self, part: Part) -> str:
        return self._models.type_name(part)

    def _text(self, part: Part) -> str:
        return self._expressions.name(part)

    def _span(self, part: Part) -> Span:
        return self._expressions.span(part)


_MODES = frozenset(("SOURCE", "TARGET", "QUERIED", "PRODUCED"))
_PARAMETERS = frozenset(("parameter", "legacy_parameter"))
_WORDS_BEFORE_NAME = ("first", "last", "single", "collate", "share", "then", "not_first", "not_last", "only_one")
_OPTION_WORDS: dict[str, str | Listing] = {
    "type_identifier": ":",
    "source_cardinality": "..",
    "source_default": "default",
    "source_list_mode": Listing(("first", "not_first", "last", "not_last", "only_one"), joint="lists.or"),
}


def _name_apart(sources: tuple[n.RuleSource, ...]) -> tuple[tuple[n.RuleSource, ...], str | None]:
    """The sources and the name of a rule that ends with its sources: there, a single word after a `check` is the name
    of the rule, as in the specification, and not a message. An empty text is neither.
    """
    last = sources[-1]
    if last.message is None or last.log is not None or len(last.message.split()) != 1:
        return sources, None
    return (*sources[:-1], replace(last, message=None, message_span=None)), last.message


def subtrees(tree: Tree[Token]) -> Iterator[Tree[Token]]:
    """The trees among the children, the tokens left out."""
    return (part for part in tree.children if isinstance(part, Tree))


def _was_written(tree: Tree[Token]) -> bool:
    """Does the text begin this? The parser makes up a beginning, of no width, to go on inside a broken entry."""
    first = first_token(tree)
    return end_of(first) > start_of(first)


def is_token(part: Part, kind: str) -> bool:
    """Is ``part`` a token of that terminal?"""
    return isinstance(part, Token) and part.type == kind


def first_word(span: Span) -> str:
    """The word that a declaration begins with."""
    return span.snippet.split(maxsplit=1)[0] if span.snippet.strip() else ""


def _type_mode(tree: Tree[Token]) -> str:
    return "type+" if any(is_token(part, "TYPE") for part in tree.children) else "types"
