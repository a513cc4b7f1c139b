"""Commands, options and arguments whose words come from the catalogues, in the language of the moment.

A command `run` finds its help under ``commands.run``: ``summary``, ``help``, ``examples``, and ``options`` by the
Python name of each; `verify` of the group `journal` under ``commands.journal.verify``. What click itself would say
(usage, headings, faults of a call) is in the catalogue ``cli``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any, Literal, TypeAlias

import click

from fhirmap.texts import LANGUAGES, text

__all__ = [
    "ENGINES",
    "SPARK",
    "Days",
    "FilePath",
    "LazyGroup",
    "Localized",
    "LocalizedCommand",
    "WholeNumber",
    "WordChoice",
    "WorkerCount",
    "argument",
    "common_option",
    "define",
    "option",
]

SPARK = "spark"
ENGINES = ("local", SPARK)
"""What maps the records: this machine, or the workers of Spark."""
_WIDTH = 110
_AUTO = "auto"
_MOST_DAYS = 100_000
_MOST_WORKERS = 61
"""As many processes as Windows can wait for at a time."""

ClickSetting: TypeAlias = Any
"""A named argument of one of click's own constructors, passed on to it."""


class WordChoice(click.Choice[str]):
    """One of a few words; case counts little."""

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(tuple(choices), case_sensitive=False)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word as it is spelt in the list."""
        for choice in self.choices:
            if choice.lower() == str(value).lower():
                return choice
        listed = ", ".join(f"`{choice}`" for choice in self.choices)
        return self.fail(text("cli.not_a_choice", value=value, choices=listed), param, ctx)


class WholeNumber(click.ParamType[int]):
    """A number from ``least`` to ``most``."""

    name = "integer"

    def __init__(self, least: int, most: int) -> None:
        self._least = least
        self._most = most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        shown = str(value)
        if shown.isdecimal() and self._least <= int(shown) <= self._most:
            return int(shown)
        return self.fail(text("cli.not_a_number", value=value, least=self._least, most=self._most), param, ctx)


class Days(click.ParamType[int]):
    """An age: `400d`, four hundred days."""

    name = "days"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of days."""
        shown = str(value)
        number = shown.removesuffix("d")
        if number.isascii() and number.isdecimal() and shown != number and int(number) < _MOST_DAYS:
            return int(number)
        return self.fail(text("cli.not_days", value=value), param, ctx)


class WorkerCount(click.ParamType[int]):
    """How many processes share a work: a number, or `auto` for the processors that this one may use."""

    name = "workers"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        if str(value).lower() == _AUTO:
            return min(_processors(), _MOST_WORKERS)
        shown = str(value)
        if shown.isdecimal() and 1 <= int(shown) <= _MOST_WORKERS:
            return int(shown)
        return self.fail(text("cli.not_workers", value=value, most=_MOST_WORKERS, auto=_AUTO), param, ctx)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class FilePath(click.ParamType[Path]):
    """A path; ``kind``: what may be there; ``exists``: something must be; ``dash``: `-` is a stream."""

    def __init__(
        self, kind: Literal["file", "folder", "path"] = "path", *, exists: bool = False, dash: bool = False
    ) -> None:
        self.name: str = kind
        self._exists = exists
        self._dash = dash

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, after a look at what is there."""
        path = Path(value)
        if not (self._dash and str(value) == "-"):
            wrong = self._wrong(path)
            if wrong:
                self.fail(text(wrong, path=value), param, ctx)
        return path

    def _wrong(self, path: Path) -> str:
        if not path.exists():
            return "cli.path_absent" if self._exists else ""
        if self.name == "file" and path.is_dir():
            return "cli.path_is_folder"
        if self.name == "folder" and not path.is_dir():
            return "cli.path_is_file"
        return "cli.path_unreadable" if self._exists and not os.access(path, os.R_OK) else ""


class _Option(click.Option):
    """An option whose help is a text of its command."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Names and help, with the default where it is to be shown."""
        spelt = ", ".join(self.opts)
        if not self.is_flag:
            spelt = f"{spelt} {self.make_metavar(ctx)}"
        words = ctx.command.words if isinstance(ctx.command, Localized) else ""
        found = self.help or text(f"commands.{words}.options.{self.name}")
        return spelt, found + (f"  [{text('cli.default', value=self.default)}]" if self.show_default else "")

    def make_metavar(self, ctx: click.Context) -> str:
        """What is to be given."""
        return _metavar(self)


class _CommonOption(_Option):
    """An option that every command has: its help is in the catalogue ``cli``."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Names and help."""
        self.help = text(f"cli.{self.name}_help")
        return super().get_help_record(ctx)


class _Argument(click.Argument):
    """An argument named in the language of the reader."""

    def make_metavar(self, ctx: click.Context) -> str:
        """Its name, in brackets where it may be left out."""
        shown = self.human_readable_name
        if not self.required:
            shown = f"[{shown}]"
        return shown + ("..." if self.nargs != 1 else "")

    @property
    def human_readable_name(self) -> str:
        """Its name alone."""
        return _metavar(self)


def _metavar(param: click.Parameter) -> str:
    if isinstance(param.type, click.Choice):
        return f"[{'|'.join(param.type.choices)}]"
    kind = param.metavar or (param.name if isinstance(param, click.Argument) else param.type.name)
    return text(f"cli.metavars.{kind}")


class Localized(click.Command):
    """What commands and the group of them have in common: help from the catalogues, ``--lang`` and ``--help``."""

    allow_extra_args = True
    """So that the fault is ours to show."""

    words: str
    """The key of its help in the catalogue ``commands``."""

    def __init__(self, name: str | None, **settings: ClickSetting) -> None:
        super().__init__(name, add_help_option=False, context_settings={"max_content_width": _WIDTH}, **settings)
        self.words = name or ""
        # `main` has read it before anything is parsed; here it is checked and shown.
        self.params.append(_CommonOption(["--lang"], type=WordChoice(LANGUAGES), expose_value=False))
        self.params.append(
            _CommonOption(["-h", "--help"], is_flag=True, is_eager=True, expose_value=False, callback=_show_help)
        )

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The first line."""
        pieces = [text("cli.options_metavar"), *self.collect_usage_pieces(ctx)]
        formatter.write_usage(ctx.command_path, " ".join(pieces), prefix=f"{text('cli.usage')} ")

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The arguments."""
        return [piece for param in self.get_params(ctx) for piece in param.get_usage_pieces(ctx)]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What the command does."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(text(f"commands.{self.words}.help").strip())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, each with its help."""
        records = [param.get_help_record(ctx) for param in self.get_params(ctx) if isinstance(param, click.Option)]
        with formatter.section(text("cli.options")):
            formatter.write_dl([record for record in records if record is not None])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, as they are written."""
        formatter.write_paragraph()
        lines = text(f"commands.{self.words}.examples").strip().splitlines()
        formatter.write("".join(f"{line}\n" for line in ("  " + text("cli.examples"), *("    " + e for e in lines))))


class LazyGroup(Localized, click.Group):
    """A group that imports a command's file when that command is called. ``names``: in the order that a newcomer meets
    them; ``package``: where their files are; ``listed``: before their names in the catalogue ``commands``."""

    names: Sequence[str] = ()
    package = ""
    listed = ""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order a newcomer meets them."""
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in self.names:
            return None
        # A module cannot well bear a name that is a word of Python: `import_`.
        module = import_module(f"{self.package}.{cmd_name}{'_' if iskeyword(cmd_name) else ''}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name where there is none."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.names:
            from fhirmap.diagnostics.nearest import nearest

            near = nearest(name, self.names)
            ctx.fail(
                text("cli.no_such_command_near", name=name, near=near)
                if near
                else text("cli.no_such_command", name=name)
            )
        return super().resolve_command(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """A command and what is its own."""
        return [text("cli.command_metavar")]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, then each command with its summary, without importing any."""
        super().format_options(ctx, formatter)
        with formatter.section(text("cli.commands")):
            formatter.write_dl([(name, text(f"commands.{self.listed}{name}.summary")) for name in self.names])


class LocalizedCommand(Localized):
    """One command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; too many arguments are a fault."""
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            shown = " ".join(f"`{entry}`" for entry in rest)
            raise click.UsageError(text("cli.extra_arguments", count=len(rest), arguments=shown), ctx)
        return rest


def _show_help(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


def define(name: str, group: str = "") -> Callable[[Callable[..., Any]], LocalizedCommand]:
    """Make a function the command ``name``, or that of a ``group``."""

    def made(function: Callable[..., Any]) -> LocalizedCommand:
        command = click.command(name, cls=LocalizedCommand)(function)
        if group:
            command.words = f"{group}.{name}"
        return command

    return made


def option(*names: str, **settings: ClickSetting) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option of a command, as `click.option` makes it. ``metavar``: a key of ``cli.metavars``."""
    return click.option(*names, cls=_Option, **settings)


def common_option(*names: str, **settings: ClickSetting) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option whose help is in the catalogue ``cli``, as ``<its name>_help``."""
    return click.option(*names, cls=_CommonOption, **settings)


def argument(name: str, **settings: ClickSetting) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An argument of a command, as `click.argument` makes it. ``metavar``: a key of ``cli.metavars``, else its name."""
    return click.argument(name, cls=_Argument, **settings)
