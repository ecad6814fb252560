"""The command tree: which module holds which group. A group's module is imported when it is used, not before."""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

CURRENT_OUTPUT: dict[str, str] = {}
"""The output format and name of the command that is running, for the one place that shows errors."""


class Command(TyperCommand):
    """A command that lets the error edge know which output format was asked for."""

    def invoke(self, ctx: Any) -> Any:
        """Note the output format, then run."""
        CURRENT_OUTPUT["format"] = str(
            getattr(ctx.params.get("output"), "value", ctx.params.get("output") or "table")
        )
        CURRENT_OUTPUT["command"] = ctx.command_path
        return super().invoke(ctx)


GROUPS: dict[str, tuple[str, str]] = {
    # name: (module, one line of help)
    "org": ("organizations", "Organizations: the tenants of this database."),
    "store": ("stores", "Stores of AIMS."),
    "user": ("users", "Users who may log in."),
    "password": ("password", "Your password."),
    "auth": ("auth", "Your login on this machine."),
    "space": ("spaces", "Spaces: the desks, doors and shelves that labels are stuck to."),
    "people": ("people", "People and where they sit."),
    "conference": ("conferences", "Conference rooms and their meetings."),
    "snapshot": ("snapshots", "Saved arrangements: who sits where."),
    "history": ("history", "What was changed, by whom."),
    "import": ("templates", "Files to import: headers to fill in."),
    "label": ("labels", "Labels and the articles they show."),
    "aims": ("aims", "SoluM AIMS: the account, the connection, the simulator."),
    "queue": ("queue", "The sync queue."),
    "sync": ("sync", "Full syncs."),
    "daemon": ("daemon", "The companion daemon."),
    "db": ("database", "The database's schema."),
    "mail": ("mail", "Outgoing mail."),
}

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Create the database, an organization and its admin."),
    "login": ("login", "Log in."),
    "logout": ("login", "Log out."),
    "whoami": ("login", "Show who is logged in."),
    "find": ("find", "Find anything by a piece of any of its values."),
    "explain": ("explain", "Say why a label shows what it shows."),
    "undo": ("undoing", "Take a change back."),
    "apply": ("undoing", "Carry out a plan that an import wrote."),
    "wait": ("wait", "Wait until the queue is empty, or labels have drawn it."),
    "health": ("health", "Check database, Redis and AIMS."),
    "demo": ("demo", "Show the whole job on this machine, against a simulator."),
    "completion": ("completion", "Print the completion script of a shell."),
    "version": ("version", "Show the version."),
}


class LazyGroup(TyperGroup):
    """The top of the tree; it knows names and help lines, and imports a command's module only to run it."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of everything at the top."""
        return [*COMMANDS, *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import and return one command or group."""
        if cmd_name in GROUPS:
            module = importlib.import_module(f"electis_cli.commands.{GROUPS[cmd_name][0]}")
            group = typer.main.get_group(module.app)
            group.name, group.help = cmd_name, GROUPS[cmd_name][1]
            return group
        if cmd_name in COMMANDS:
            module = importlib.import_module(f"electis_cli.commands.{COMMANDS[cmd_name][0]}")
            commands = typer.main.get_group(module.app)
            return commands.get_command(ctx, cmd_name)
        return None

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the list of commands from the tables, without importing them."""
        for title, table in (("Commands", COMMANDS), ("Groups", GROUPS)):
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in table.items()])


def new_app() -> typer.Typer:
    """Return an empty group for one module's commands."""
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
