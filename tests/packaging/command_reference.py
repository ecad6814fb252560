"""Writes docs/commands.md from the command tree itself, so that the page can not say anything else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from electis_cli.commands.main import app

_EVERYWHERE = {"--help", "--output", "--fields"}

_HEAD = """# Commands

Written by `make generate` from the commands themselves.

Every command takes `-h`; nearly every one takes `-o table|json|jsonl|csv|name` and `--fields A,B` (not repeated below).
Data goes to standard output, talk to standard error. Exit codes are listed in [operating.md](operating.md#exit-codes).
"""


def leaves(group: Any, context: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of the tree with its path, groups opened one after the other."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if hasattr(command, "list_commands"):
            yield from leaves(command, context, (*path, name))
        else:
            yield (*path, name), command


def all_commands() -> list[tuple[tuple[str, ...], Any]]:
    """Every command of electis with its path."""
    root = typer.main.get_command(app)
    return list(leaves(root, typer.Context(root)))


def reference() -> str:
    """The page."""
    lines = [_HEAD]
    group = ""
    for path, command in all_commands():
        if path[0] != group and len(path) > 1:
            lines.append(f"\n## electis {path[0]}\n")
        elif len(path) == 1 and not group:
            lines.append("\n## At the top\n")
        group = path[0] if len(path) > 1 else "-"
        lines.extend(_entry(path, command))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def _entry(path: tuple[str, ...], command: Any) -> Iterator[str]:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    words = []
    for param in arguments:
        # Typer writes "[NAME]" for arguments that may be left out.
        name = str(param.metavar or param.name.upper()).strip("[]")
        words.append(name if param.required else f"[{name}]")
    yield f"\n### `{' '.join(['electis', *path, *words])}`\n"
    yield (command.help or "").strip().replace("\n\n", "\n") + "\n"
    options = [
        param
        for param in command.params
        if param.param_type_name == "option" and not _EVERYWHERE & set(param.opts) and not param.hidden
    ]
    if options:
        yield "| option | meaning |\n| --- | --- |"
        for param in options:
            names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
            value = f" `{param.metavar}`" if param.metavar and not param.is_flag else ""
            needed = " (required)" if param.required else ""
            yield f"| {names}{value} | {param.help or ''}{needed} |"
