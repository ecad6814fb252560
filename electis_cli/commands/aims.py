"""`electis aims`: the account, the connection, the article format and the simulator."""

from __future__ import annotations

from typing import Annotated

import typer

from electis_cli.commands import (
    aims_articles,
    aims_batches,
    aims_doctor,
    aims_faults,
    aims_gateways,
    aims_last,
    aims_mapping,
    aims_raw,
    aims_stores,
    aims_whitelist,
)
from electis_cli.commands.access import open_scope, read_password
from electis_cli.commands.exit_codes import exit_code_for
from electis_cli.commands.launch import become_simulator
from electis_cli.commands.options import DebugHttp, DryRun, Fields, Output, OutputFormat
from electis_cli.commands.output import show_one, talk
from electis_cli.commands.tree import Command, new_app

app = new_app()
format_app = new_app()
app.add_typer(format_app, name="format", help="The article format: which columns an article has.")
app.command("doctor", cls=Command)(aims_doctor.doctor)
app.command("last", cls=Command)(aims_last.last)
app.add_typer(aims_articles.app, name="article", help="Articles as AIMS holds them.")
app.add_typer(aims_batches.app, name="batch", help="What became of the writes AIMS took.")
app.add_typer(aims_faults.app, name="fault", help="Trouble on demand, at a simulator on this machine.")
app.add_typer(aims_gateways.app, name="gateway", help="The radios that labels hear.")
app.add_typer(aims_stores.app, name="store", help="The stores of the company at AIMS.")
app.add_typer(aims_raw.app)
app.add_typer(aims_mapping.app, name="mapping", help="How our facts meet AIMS's columns.")
format_app.add_typer(aims_mapping.format_app)
app.add_typer(aims_whitelist.app, name="whitelist", help="Which labels may be linked.")


@app.command("configure", cls=Command)
def configure(
    base_url: Annotated[
        str, typer.Option("--base-url", metavar="URL", help="https://HOST, with or without its path.")
    ],
    username: Annotated[str, typer.Option("--username", metavar="NAME", help="The AIMS user.")],
    company: Annotated[
        str | None,
        typer.Option("--company", metavar="CODE", help="The AIMS company; default: the organization."),
    ] = None,
    cluster: Annotated[str | None, typer.Option("--cluster", help="common or c1.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the AIMS password from standard input.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also when an account is configured already.")
    ] = False,
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Try an AIMS account, fetch its article format and store both; a wrong one stores nothing."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services.configuring import configure as configure_account

        view = configure_account(
            scope,
            base_url=base_url,
            company=company,
            cluster=cluster,
            username=username,
            password=read_password("AIMS password", from_stdin=password_stdin),
            replace_existing=replace,
            dry_run=dry_run,
        )
        show_one(view, output, fields=fields)
        if output is OutputFormat.TABLE:
            for warning in view.warnings:
                talk(f"warning: {warning}")


@app.command("ping", cls=Command)
def ping(output: Output = OutputFormat.TABLE, fields: Fields = None, debug_http: DebugHttp = False) -> None:
    """Ask AIMS whether it is there, uncached; a queue stopped by an outage goes on when it is."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services.ping import ping as ping_once

        view = ping_once(scope)
        show_one(view, output, fields=fields)
        if not view.ok:
            raise typer.Exit(exit_code_for(view.error_code or ""))


@format_app.command("show", cls=Command)
def show_format(output: Output = OutputFormat.TABLE, fields: Fields = None) -> None:
    """Show the article format that articles are rendered with."""
    with open_scope() as scope:
        from electis_cli.services import formats

        show_one(formats.show_format(scope), output, fields=fields)


@format_app.command("fetch", cls=Command)
def fetch_format(
    dry_run: DryRun = False,
    output: Output = OutputFormat.TABLE,
    fields: Fields = None,
    debug_http: DebugHttp = False,
) -> None:
    """Take over AIMS's article format; every article is rendered and pushed again."""
    with open_scope(debug_http=debug_http) as scope:
        from electis_cli.services import formats

        show_one(formats.fetch_format(scope, dry_run=dry_run), output, fields=fields)


@app.command(
    "simulate",
    cls=Command,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def simulate(context: typer.Context) -> None:
    """Run an AIMS on this machine: --port N, --state FILE, --seed N; --help shows everything."""
    become_simulator(context.args)
