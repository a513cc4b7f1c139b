"""The command line: one file per command, each imported when it is called.

Exit codes: 0 done; 1 some records invalid or refused; 2 the map or project is wrong; 3 the sink or source cannot be
reached; 70 our bug; 130 interrupted. A fault is shown as a diagnostic on standard error, or as JSON on standard output
with ``--json``. Words are in the language of ``--lang``, ``FHIRMAP_LANG`` or the locale; codes, states and keys of JSON
are the same in each.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import click

from fhirmap.cli.localized import LazyGroup, common_option
from fhirmap.cli.streams import drop_standard_output, is_output_lost, keep_streams_open
from fhirmap.collector import expect_little_garbage
from fhirmap.texts import LANGUAGES, VARIABLE, text
from fhirmap.version import __version__

COMMANDS = (
    "init",
    "inspect",
    "check",
    "fmt",
    "transform",
    "export",
    "import",
    "compile",
    "preview",
    "lineage",
    "plan",
    "run",
    "status",
    "acknowledge",
    "retry",
    "journal",
    "report",
    "metrics",
    "audit",
    "explain",
    "functions",
    "doctor",
    "keys",
    "registry",
)
"""Names in the order a newcomer meets them."""


class LazyCommands(LazyGroup):
    """All commands."""

    names = COMMANDS
    package = __name__

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What all of it is for."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(text("cli.group_help"))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What to try first."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(text("cli.group_epilog"))


def _show_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(text("cli.version", version=__version__))
        ctx.exit()


@click.command("fhirmap", cls=LazyCommands, invoke_without_command=True)
@common_option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version)
@click.pass_context
def commands(ctx: click.Context) -> None:
    """The group of all commands; called alone it shows its help."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)


def _end_on_termination() -> None:
    """SIGTERM, by which a machine that shuts down or a scheduler asks to stop, and SIGHUP, which a terminal that closes
    sends, are as good as Ctrl-C; not a SIGHUP that is ignored, as under ``nohup``."""
    if threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        signal.signal(hangup, signal.default_int_handler)


@contextmanager
def _in_language(arguments: Sequence[str]) -> Iterator[None]:
    """The language that ``--lang`` names, wherever it is on the line: help and faults of the call are in it too.

    It is put into the environment, so that every thread of the command speaks it.
    """
    chosen = _language_of(arguments)
    before = os.environ.get(VARIABLE)
    if chosen is not None:
        os.environ[VARIABLE] = chosen
    try:
        yield
    finally:
        if chosen is not None:
            os.environ.pop(VARIABLE, None)
            if before is not None:
                os.environ[VARIABLE] = before


def _language_of(arguments: Sequence[str]) -> str | None:
    for number, entry in enumerate(arguments):
        name, equals, value = entry.partition("=")
        if name == "--lang":
            value = value if equals else next(iter(arguments[number + 1 :]), "")
            return value.lower() if value.lower() in LANGUAGES else None
    return None


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code; never a bare traceback.

    ``arguments``: by default those of the process, which then ends with the command.
    """
    ends = arguments is None
    arguments = sys.argv[1:] if arguments is None else arguments
    if ends:
        keep_streams_open()
    _end_on_termination()
    expect_little_garbage()
    with _in_language(arguments):
        code = _exit_code(arguments)
    if ends:
        # Python looks through everything that is alive once more before it ends: a tenth of a command's time, for
        # memory that the system takes back anyway.
        gc.freeze()
        if code == 130 and threading.active_count() > 1:
            # Asked twice: what is under way is not waited for. The journal has it as being sent.
            _write_out()
            os._exit(code)
    sys.exit(code)


def _write_out() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


def _exit_code(arguments: list[str]) -> int:
    try:
        code = commands.main(args=arguments, prog_name="fhirmap", standalone_mode=False)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as fault:
        from fhirmap.cli.usage import show_usage_fault

        show_usage_fault(fault, as_json="--json" in arguments)
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo(text("cli.interrupted"), err=True)
        return 130
    except BrokenPipeError:
        drop_standard_output()
        return 0
    except Exception as fault:  # noqa: BLE001 - whatever comes is shown without a value and gets its exit code
        from fhirmap.cli.faults import show_fault, show_lost_output

        if isinstance(fault, OSError) and is_output_lost(fault):
            drop_standard_output()
            return show_lost_output(fault)
        return show_fault(fault, as_json="--json" in arguments)
    return code if isinstance(code, int) else 0
