"""The command line: one file per command, each imported when it is called.

Exit codes: 0 done; 1 some records invalid or refused; 2 the map or project is wrong; 3 the sink or source cannot be
reached; 70 our bug; 130 interrupted. A fault is shown as a diagnostic on standard error, or as JSON on standard output
with ``--json``.
"""

from __future__ import annotations

import signal
import sys
import threading
from importlib import import_module
from keyword import iskeyword

import click

from fhirmap.version import __version__

COMMANDS: dict[str, str] = {
    "init": "Start a project folder, or copy a shipped example",
    "inspect": "Write a `model` block from a live table, a CSV or a JSON file",
    "check": "Say everything that is wrong with a map or a project",
    "fmt": "Format maps",
    "transform": "Run any map on any input",
    "export": "Write a map as a StructureMap resource",
    "import": "Write a StructureMap resource as the text of a map",
    "compile": "Write the generated Python of a map",
    "preview": "Map and validate records, send nothing",
    "lineage": "Show the source columns and rules behind each element",
    "run": "Send what is new or changed, archive the registry's identifiers",
    "status": "Show the state of each record and its last answer",
    "retry": "Release refused or deferred records",
    "report": "Show or write the report of a run",
    "explain": "Show the page of a code such as FM203",
    "functions": "List the functions that maps can call",
    "doctor": "Check settings, source, journal, TLS, token and clock",
    "registry": "Serve the registry simulator",
}


class LazyCommands(click.Group):
    """A group that imports a command's file when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        # A module cannot well bear a name that is a word of Python: `import_`.
        module = import_module(f"fhirmap.cli.{cmd_name}{'_' if iskeyword(cmd_name) else ''}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name where there is none."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            ctx.fail(f"no command `{name}`" + (f", did you mean `{near[0]}`?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table above, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Try: fhirmap init --example ch-valmorel demo && fhirmap run demo",
)
@click.version_option(__version__, prog_name="fhirmap")
def commands() -> None:
    """Feed the RENACOT registry from a hospital's own tables: maps in, checked and compiled; identifiers archived."""


def _show_usage(fault: click.ClickException, *, as_json: bool) -> None:
    """What is wrong with the call itself; in the form of a diagnostic without a code where JSON was asked for."""
    if not as_json:
        fault.show()
        return
    import json

    path = fault.ctx.command_path if isinstance(fault, click.UsageError) and fault.ctx else "fhirmap"
    told = {"code": None, "severity": "error", "message": fault.format_message(), "hint": f"{path} --help"}
    click.echo(json.dumps({"diagnostics": [told]}, ensure_ascii=False))


def _heed_termination() -> None:
    """SIGTERM, by which a machine that shuts down or a scheduler asks to stop, is as good as Ctrl-C."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code; never a bare traceback."""
    arguments = sys.argv[1:] if arguments is None else arguments
    _heed_termination()
    try:
        code = commands.main(args=arguments, prog_name="fhirmap", standalone_mode=False)
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.ClickException as fault:
        _show_usage(fault, as_json="--json" in arguments)
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except Exception as fault:  # noqa: BLE001 - the last door: whatever comes is shown without a value and gets its exit code
        from fhirmap.cli.faults import show_fault

        code = show_fault(fault, as_json="--json" in arguments)
    sys.exit(code if isinstance(code, int) else 0)
