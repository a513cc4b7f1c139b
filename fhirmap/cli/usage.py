"""What is wrong with a call itself: an option that is not there, a value that does not fit."""

from __future__ import annotations

import click

from fhirmap.cli.screen import echo_folded, echo_json
from fhirmap.diagnostics.nearest import nearest
from fhirmap.texts import text

__all__ = ["show_usage_fault", "usage_message"]


def show_usage_fault(fault: click.ClickException, *, as_json: bool) -> None:
    """The fault on standard error, after the usage; in the form of a diagnostic without a code with ``as_json``."""
    context = fault.ctx if isinstance(fault, click.UsageError) else None
    path = context.command_path if context is not None else "fhirmap"
    message = usage_message(fault)
    if as_json:
        shown = {"code": None, "severity": "error", "message": message, "hint": f"{path} --help"}
        echo_json({"diagnostics": [shown]})
        return
    if context is not None:
        click.echo(f"{context.get_usage()}\n{text('cli.try_help', command=path)}\n", err=True)
    echo_folded(text("cli.error", message=message), err=True)


def usage_message(fault: click.ClickException) -> str:
    """The fault in a sentence: by its type where click found it, else as the command worded it."""
    match fault:
        case click.NoSuchOption():
            return _no_such_option(fault)
        case click.BadOptionUsage():
            takes_value = not _is_flag(fault)
            return text("cli.needs_value" if takes_value else "cli.takes_no_value", name=fault.option_name)
        case click.MissingParameter():
            of_option = isinstance(fault.param, click.Option)
            return text("cli.missing_option" if of_option else "cli.missing_argument", name=_name(fault.param))
        case click.BadParameter():
            return text("cli.invalid_value", name=_name(fault.param), reason=fault.message)
        case _:
            return fault.message


def _no_such_option(fault: click.NoSuchOption) -> str:
    known = [name for param in fault.ctx.command.params for name in param.opts] if fault.ctx is not None else []
    near = nearest(fault.option_name, [name for name in known if name.startswith("-")])
    if near is None:
        return text("cli.no_such_option", name=fault.option_name)
    return text("cli.no_such_option_near", name=fault.option_name, near=near)


def _is_flag(fault: click.BadOptionUsage) -> bool:
    params = fault.ctx.command.params if fault.ctx is not None else []
    return any(
        isinstance(param, click.Option) and param.is_flag and fault.option_name in param.opts for param in params
    )


def _name(param: click.Parameter | None) -> str:
    if param is None:
        return ""
    return max(param.opts, key=len) if isinstance(param, click.Option) else param.human_readable_name
