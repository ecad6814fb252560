"""Two organizations in one database: no command of one shows or changes a row of the other, command by command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.flows.tenants import FOREIGN, Tenants, build, first_label, homes
from tests.flows.tree import commands, options
from tests.world.command_line import until
from tests.world.planted import PASSWORD

OK, PARTIAL, LOGIN, PERMISSION, MISSING, TAKEN, INVALID, CHANGES, TIME_UP = 0, 3, 4, 5, 6, 7, 8, 10, 18
NEW_PASSWORD = "another horse 11"

EXEMPT = {
    "init": "the operator's: makes organizations; whoever holds the database URL may",
    "health": "the operator's: tells of every organization whether its AIMS answers",
    "demo": "works in a folder and a database of its own",
    "completion": "opens no database",
    "version": "opens no database",
    "aims simulate": "opens no database",
    "daemon run": "the operator's: works for all organizations, each with its own account (tested below)",
    "daemon unit": "opens no database",
    "daemon timer": "opens no database",
    "db upgrade": "the operator's: the schema, no rows",
    "db current": "the operator's: the schema, no rows",
    "db check": "the operator's: the schema, no rows",
}

# What ALPHA's admin types: first what is ALPHA's own (some of it has the same id at BRAVO), then BRAVO's ids. A second
# column other than 6 for one of BRAVO's ids has its reason beside it.
CASES: dict[str, list[tuple[str, int]]] = {
    "login": [
        ("login admin@alpha.example --password-stdin", OK),
        ("login admin@bravo.example --password-stdin", LOGIN),  # with ALPHA's password
    ],
    "logout": [("logout", OK)],
    "whoami": [("whoami", OK)],
    # What is looked for is no id that must be there: of BRAVO's nothing is found.
    "find": [("find ALPHA", OK), ("find S-1", OK), ("find BRAVO", OK), ("find FX-9", OK), ("find FP-9", OK)],
    "explain": [
        ("explain space S-1", OK),
        ("explain person P-1", OK),
        ("explain conference 1", OK),
        ("explain label {own_label}", OK),
        ("explain space FX-9", MISSING),
        ("explain person FP-9", MISSING),
        ("explain conference 9", MISSING),
        ("explain label {label}", MISSING),
    ],
    "wait": [
        ("wait --timeout 0", TIME_UP),
        ("wait --for displayed --timeout 0", TIME_UP),
    ],  # nobody pushes here
    # Making organizations is for platform admins; a taken code and a free one get the same answer.
    "org create": [("org create NEWORG", PERMISSION), ("org create BRAVO", PERMISSION)],
    "org list": [("org list", OK)],
    "org show": [("org show", OK), ("org show BRAVO", MISSING)],
    "org update": [("org update --name Other", OK), ("org update BRAVO --name Taken", MISSING)],
    # BRAVO's store code is free for ALPHA: codes are unique within an organization.
    "store create": [("store create 007 --name Ours", OK)],
    "store list": [("store list", OK)],
    "store show": [("store show 001", OK), ("store show 007", MISSING)],
    "store update": [("store update 001 --name New", OK), ("store update 007 --name New", MISSING)],
    "store delete": [
        ("store update 001 --no-sync-enabled", OK),  # else a store that AIMS shows is not deleted
        ("store delete 001 --force --yes", OK),
        ("store delete 007 --yes", MISSING),
        ("store delete 007 --force --yes", MISSING),
        ("store delete 001 --force --yes --org BRAVO", MISSING),
    ],
    "user create": [
        ("user create new@alpha.example --role viewer", OK),
        # Addresses are unique in the whole database (flow 5.1): it is taken, and nothing more is told.
        ("user create clerk@bravo.example --role admin", TAKEN),
    ],
    "user list": [("user list", OK)],
    "user show": [("user show clerk@alpha.example", OK), ("user show clerk@bravo.example", MISSING)],
    "user update": [
        ("user update clerk@alpha.example --first-name Ann", OK),
        ("user update clerk@bravo.example --first-name Ann", MISSING),
        ("user update admin@bravo.example --role viewer", MISSING),
    ],
    "user deactivate": [
        ("user deactivate clerk@alpha.example", OK),
        ("user deactivate admin@bravo.example", MISSING),
    ],
    "user activate": [
        ("user activate clerk@alpha.example", OK),
        ("user activate clerk@bravo.example", MISSING),
    ],
    "user unlock": [("user unlock clerk@alpha.example", OK), ("user unlock clerk@bravo.example", MISSING)],
    "user reset-password": [
        ("user reset-password clerk@alpha.example", OK),
        ("user reset-password admin@bravo.example", MISSING),
    ],
    "password change": [("password change --password-stdin", OK)],
    "auth status": [("auth status", OK)],
    "auth sessions": [("auth sessions", OK)],
    "auth revoke": [("auth revoke {session}", MISSING), ("auth revoke --all", OK)],
    "space create": [
        ("space create S-3 --set ITEM_NAME=Ours", OK),
        ("space create FX-9", OK),
    ],  # an id of one's own
    "space list": [("space list", OK)],
    "space show": [("space show S-1", OK), ("space show FX-9", MISSING)],
    "space update": [
        ("space update S-1 --set TITLE=Ours", OK),
        ("space update FX-9 --set TITLE=Theirs", MISSING),
    ],
    "space delete": [
        ("space delete S-1 --unassign --yes", OK),
        ("space delete FX-9 --yes", MISSING),
        ("space delete FX-9 --unassign --yes", MISSING),
    ],
    "space import": [
        ("space import {spaces}", OK),
        (
            "space import {spaces} --mapping 'ALPHA export'",
            INVALID,
        ),  # it names columns that this file has not
        ("space import {spaces} --mapping 'BRAVO export'", MISSING),
    ],
    "space export": [("space export", OK)],
    "people create": [
        ("people create P-3 --space S-2", OK),
        ("people create P-4 --space FX-9", MISSING),
        ("people create FP-9", OK),  # an id of one's own
    ],
    "people list": [("people list", OK)],
    "people show": [("people show P-1", OK), ("people show FP-9", MISSING)],
    "people update": [
        ("people update P-1 --set TITLE=Ours", OK),
        ("people update FP-9 --set TITLE=Theirs", MISSING),
    ],
    "people delete": [("people delete P-1 --yes", OK), ("people delete FP-9 --yes", MISSING)],
    "people assign": [
        ("people assign P-2 S-2", OK),
        ("people assign P-2 FX-9", MISSING),
        ("people assign FP-9 S-2", MISSING),
        ("people assign FP-9 FX-9", MISSING),
    ],
    "people unassign": [("people unassign P-1", OK), ("people unassign FP-9", MISSING)],
    "people move": [
        ("people move P-1 S-2", OK),
        ("people move P-1 FX-9", MISSING),
        ("people move FP-9 S-1", MISSING),
    ],
    "people swap": [
        ("people assign P-2 S-2", OK),
        ("people swap P-1 P-2", OK),
        ("people swap P-1 FP-9", MISSING),
        ("people swap FP-9 P-1", MISSING),
    ],
    "people export": [("people export", OK)],
    "people import": [
        ("people import {people}", OK),
        ("people import {seated}", INVALID),
    ],  # an error of its row
    "conference create": [
        ("conference create 2 --name Ours", OK),
        ("conference create 9", OK),
    ],  # an id of one's own
    "conference list": [("conference list", OK)],
    "conference show": [
        ("conference show 1", OK),
        ("conference show 9", MISSING),
        ("conference show C9", MISSING),
    ],
    "conference update": [
        ("conference update 1 --name Ours", OK),
        ("conference update 9 --name Theirs", MISSING),
    ],
    "conference toggle": [
        ("conference toggle 1", OK),
        ("conference toggle 9 --on --meeting-name Theirs", MISSING),
        ("conference toggle C9 --off", MISSING),
    ],
    "conference delete": [("conference delete 1 --yes", OK), ("conference delete 9 --yes", MISSING)],
    "conference import": [("conference import {rooms}", OK)],
    "conference export": [("conference export", OK)],
    "history list": [("history list", OK), ("history list --noun space --days 1", OK)],
    "history show": [("history show {own_change}", OK), ("history show {changesets-0}", MISSING)],
    "undo": [("undo {own_change} --yes", OK), ("undo {changesets-0} --yes", MISSING)],
    "apply": [("apply {own_plan}", OK), ("apply {their_plan}", TAKEN)],  # the file itself says whose it is
    "snapshot save": [
        ("snapshot save noon", OK),
        ("snapshot save 'BRAVO morning'", OK),  # a name of one's own
    ],
    "snapshot list": [("snapshot list", OK)],
    "snapshot diff": [
        ("people unassign P-1", OK),
        ("snapshot diff 'ALPHA morning'", CHANGES),
        ("snapshot diff 'BRAVO morning'", MISSING),
    ],
    "snapshot restore": [
        ("snapshot restore 'ALPHA morning' --yes", OK),
        ("snapshot restore 'BRAVO morning' --yes", MISSING),
    ],
    "import template": [("import template space", OK), ("import template user", OK)],
    "user import": [
        ("user import {users}", OK),
        ("user import {foreign_users}", INVALID),  # the address is taken, and nothing more is told
    ],
    "user export": [("user export", OK)],
    "label export": [("label export", OK)],
    "label import": [
        ("label import {links}", OK),
        ("label import {foreign_links}", INVALID),
    ],
    "label list": [("label list", OK), ("label list --unassigned", OK), ("label list --offline", OK)],
    "label show": [("label show {own_label}", OK), ("label show {label}", MISSING)],
    "label link": [
        ("label link {own_label} S-2", OK),  # BRAVO wishes for the same code
        ("label link {own_label} FX-9", MISSING),
        ("label link {own_label} C9", MISSING),
        ("label link {label} S-2", OK),  # a wish of ALPHA's own; AIMS knows whose label it is
    ],
    "label replace": [
        ("label replace {own_label} {spare_label}", OK),
        ("label replace {label} {spare_label}", MISSING),
    ],
    "label flip": [("label flip {own_label} 2", OK), ("label flip {label} 2", MISSING)],
    "label blink": [
        ("label blink {own_label}", OK),
        ("label blink {own_label} --queue", OK),
        ("label blink {label}", MISSING),
        ("label blink {label} --queue", MISSING),
    ],
    "label image": [
        ("label image {own_label} {picture} --dither --yes", OK),
        ("label image {label} {picture} --dither --yes", MISSING),
        ("label image {label} {picture} --yes", MISSING),  # not even its size is told
    ],
    "label history": [("label history {own_label}", OK), ("label history {label}", MISSING)],
    "label resend": [
        ("label resend {own_label}", OK),
        ("label resend --timeouts", OK),
        ("label resend --timeouts --queue", OK),
        ("label resend {label}", MISSING),
        ("label resend {label} --queue", MISSING),
    ],
    "label unlink": [("label unlink {own_label}", OK), ("label unlink {label}", MISSING)],
    "aims configure": [
        ("aims configure --base-url {aims} --company ALPHA --username new --password-stdin --replace", OK)
    ],
    "aims ping": [("aims ping", OK)],
    "aims doctor": [("aims doctor", OK), ("aims doctor --store 007", MISSING)],
    "aims last": [
        ("aims last", OK),
        ("aims last --failed --writes", OK),
        ("aims last --har {har}", OK),
        ("aims last --store 007", MISSING),
        ("aims last --show {exchange}", MISSING),
    ],
    "aims format show": [("aims format show", OK)],
    "aims format fetch": [("aims format fetch", OK)],
    "aims format diff": [("aims format diff", OK)],
    "aims format push": [("aims format push --yes", OK)],
    "aims mapping show": [("aims mapping show", OK)],
    "aims mapping set": [("aims mapping set --default TITLE=Ours", OK)],
    "aims mapping validate": [("aims mapping validate", OK)],
    "aims api": [
        ("aims api GET /store/summary --query store=001", OK),
        ("aims api GET /articles --query store=001 --all-pages", OK),
        ("aims api PUT /labels/resend/timeout/all --query store=001 --yes", OK),
        ("aims api GET /articles --query store=007", MISSING),
        ("aims api GET /articles --query store=001 --query company=BRAVO", MISSING),
        ("aims api GET /articles?store=001&company=BRAVO", MISSING),
        ("aims api POST /articles --query store=007 --body [] --yes", MISSING),
    ],
    "aims article list": [("aims article list", OK)],
    "aims article show": [("aims article show S-1", OK), ("aims article show FX-9", MISSING)],
    "aims article history": [("aims article history S-1", OK), ("aims article history FX-9", MISSING)],
    "aims article linked": [("aims article linked", OK)],
    "aims batch list": [("aims batch list", OK)],
    "aims batch show": [("aims batch show {own_batch}", OK), ("aims batch show {batch}", MISSING)],
    "aims batch errors": [("aims batch errors {own_batch}", OK), ("aims batch errors {batch}", MISSING)],
    "aims gateway list": [("aims gateway list", OK)],
    "aims gateway show": [("aims gateway show {own_gateway}", OK), ("aims gateway show {gateway}", MISSING)],
    "aims gateway reboot": [
        ("aims gateway reboot {own_gateway} --yes", OK),
        ("aims gateway reboot {gateway} --yes", MISSING),
    ],
    "aims store list": [("aims store list", OK)],
    "aims store summary": [("aims store summary", OK)],
    "aims whitelist list": [("aims whitelist list", OK)],
    "aims whitelist add": [("aims whitelist add {own_label} --yes", OK)],
    "aims whitelist remove": [("aims whitelist remove {own_label} --yes", OK)],
    # A simulator is one for all who use it, and holds no rows; what hits whom is in the fault.
    "aims fault add": [
        ("aims fault add --kind latency --path /nowhere", OK),
        ("aims fault add --kind latency --path /nowhere --store 007", MISSING),
    ],
    "aims fault list": [("aims fault list", OK), ("aims fault list --kinds", OK)],
    "aims fault clear": [("aims fault clear", OK), ("aims fault clear 404", MISSING)],
    "queue status": [("queue status", OK)],
    "queue list": [("queue list", OK), ("queue list --kind command --error BRAVO", OK)],
    "queue show": [
        ("queue show S-1", OK),
        ("queue show {own_label}", OK),
        ("queue show FX-9", MISSING),
        ("queue show C9", MISSING),
        ("queue show {label}", MISSING),
        ("queue show {command}", MISSING),
    ],
    "queue cancel": [
        ("queue cancel --all", OK),
        ("queue cancel FX-9", MISSING),
        ("queue cancel {label}", MISSING),
        ("queue cancel {command}", MISSING),
    ],
    "queue watch": [
        ("queue drain", PARTIAL),  # ALPHA has a dead letter of its own
        ("queue watch --until-empty", PARTIAL),
        ("queue watch --store 007", MISSING),
    ],
    "queue drain": [("queue drain", PARTIAL)],  # ALPHA has a dead letter of its own
    "queue pause": [("queue pause", OK)],
    "queue resume": [("queue resume", OK)],
    "queue retry": [
        ("queue retry FD-9", MISSING),
        ("queue retry FX-9", MISSING),
        ("queue retry --all --yes", OK),
    ],
    "queue dead list": [("queue dead list", OK), ("queue dead list --article FD-9", OK)],
    "queue dead group": [("queue dead group", OK)],
    "queue dead retry": [
        ("queue dead retry --all --yes", OK),
        ("queue dead retry FD-9", MISSING),
        ("queue dead retry --article FD-9", MISSING),
        ("queue dead retry --cause BRAVO_DOES_NOT_FIT", MISSING),
    ],
    "queue dead discard": [
        ("queue dead discard D-1", OK),
        ("queue dead discard --all --yes", OK),
        ("queue dead discard FD-9", MISSING),
        ("queue dead discard --cause BRAVO_DOES_NOT_FIT", MISSING),
    ],
    "sync full": [("sync full", PARTIAL), ("sync full --all-stores --no-window", PARTIAL)],
    "sync status": [("sync status", OK)],
    "sync history": [("sync history", OK)],
    "sync show": [("sync show {own_run}", OK), ("sync show {run}", MISSING), ("sync show {held}", MISSING)],
    "sync approve": [("sync approve {held}", MISSING)],
    "sync diff": [("sync diff", OK), ("sync diff --store 007", MISSING)],
    "sync conflicts": [("sync conflicts", OK), ("sync conflicts --decided --store 007", MISSING)],
    "sync resolve": [
        ("sync resolve SB-1 --ours", MISSING),
        ("sync resolve SB-1 --theirs --store 001", MISSING),
    ],
    "daemon status": [("daemon status", PARTIAL)],  # none is alive
    "mail list": [("mail list", OK)],
    "mail send": [("mail send", PARTIAL)],  # nobody answers at the mail server's address
    "mail retry": [("mail retry {own_mail}", OK), ("mail retry {mail}", MISSING)],
}
NEVER_JSON = {"import template"}
"""Their `-o` is the kind of the file they write."""

ENVIRONMENT = {"mail send": {"ELECTIS_SMTP_URL": "smtp://127.0.0.1:9"}}
KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.slow))


@pytest.fixture(scope="session")
def two_companies() -> Iterator[SimulatorServer]:
    """AIMS with both companies; both have the same store codes there."""
    settings = Settings(
        companies=("ALPHA", "BRAVO"), stores=("001", "007"), labels_per_store=4, update_seconds=0.0
    )
    with SimulatorServer(Simulator(settings)) as server:
        yield server


@pytest.fixture(scope="session")
def make_template(tmp_path_factory, two_companies, request) -> Callable[[str], Tenants]:
    made: dict[str, Tenants] = {}

    def make(kind: str) -> Tenants:
        if kind not in made:
            server = request.getfixturevalue("postgres_server") if kind == "postgresql" else None
            url = server.create_database() if server else None
            two_companies.simulator.reset()
            made[kind] = build(tmp_path_factory.mktemp("tenants") / "template", url, two_companies)
        return made[kind]

    return make


@pytest.fixture
def make_tenants(make_template, tmp_path, request) -> Callable[[str], Tenants]:
    """Return how to make a copy of both organizations on a database of a kind."""

    def make(kind: str) -> Tenants:
        template, url = make_template(kind), None
        if kind == "postgresql":
            server = request.getfixturevalue("postgres_server")
            url = server.create_database(template=template.url)
            request.addfinalizer(lambda: server.drop_database(url))
        return template.copy_to(tmp_path / "tenants", url)

    return make


def words(tenants: Tenants, folder: Path) -> dict[str, str]:
    """Return what stands for the words in braces, with import files that name BRAVO's ids."""
    files = {
        "spaces": "external_id,TITLE\nS-1,Ours\nFX-9,Ours\n",
        "people": "external_id,space,TITLE\nP-1,S-2,Ours\nFP-9,,Ours\n",
        "seated": "external_id,space\nP-1,FX-9\n",
        "rooms": "external_id,room_name\n1,Ours\n9,Ours\n",
        "users": "email,role\nnew@alpha.example,viewer\n",
        "foreign_users": "email,role\nclerk@bravo.example,viewer\n",
        "links": f"label,article\n{first_label(tenants, 'ALPHA', '001')},S-2\n",
        "foreign_links": f"label,article\n{tenants.ids['label']},FX-9\n",
    }
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes([0, 0, 0, 9] * 2))
    alpha = tenants.alpha
    return {
        **tenants.ids,
        **{name: shlex.quote(str(folder / f"{name}.csv")) for name in files},
        "har": shlex.quote(str(folder / "calls.har")),
        "aims": tenants.server.base_url,
        "own_batch": max(tenants.server.simulator.company("ALPHA").batches),
        "own_gateway": min(tenants.server.simulator.store("ALPHA", "001").gateways),
        "own_label": first_label(tenants, "ALPHA", "001"),
        "spare_label": sorted(tenants.server.simulator.store("ALPHA", "001").labels)[1],
        "picture": shlex.quote(str(folder / "picture.png")),
        "own_change": alpha("history", "list", "-o", "name").out.split()[0],
        "own_plan": shlex.quote(str(alpha.home / "own.plan")),
        "their_plan": shlex.quote(str(tenants.bravo.home / "own.plan")),
        "own_run": alpha("sync", "history", "-o", "name").out.split()[0],
        "own_mail": alpha("mail", "list", "-o", "name").out.split()[0],
    }


def tries(path: str) -> list[tuple[str, int]]:
    """Return a command's cases, and its own ones aimed at BRAVO through the options that say where."""
    listed = list(CASES[path])
    own = next((line for line, code in listed if code != MISSING), listed[0][0])
    if path.startswith("auth"):
        return listed
    if "--store" in options(path):
        own_here = own.replace(" --all-stores", "")
        listed.append((f"{own_here} --store {FOREIGN['store']}", MISSING))
    if "--org" in options(path):
        listed.append((f"{own} --org BRAVO", MISSING))
    return listed


def typed(arguments: list[str]) -> list[str]:
    """Return what ALPHA's admin wrote: the arguments, and the cells of the files among them."""
    files = [Path(word) for word in arguments if word.endswith((".csv", ".plan"))]
    return [
        *arguments,
        *(cell for file in files for cell in re.split(r"[,:\"{}\n]", file.read_text()) if cell),
    ]


def test_every_command_has_a_case_or_a_reason_why_not():
    """Tested for every command: a new command must say here what it does with another tenant's ids."""
    known = set(commands())
    assert known == set(CASES) | set(EXEMPT)
    assert set(CASES).isdisjoint(EXEMPT)
    assert len(known) > 60


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", CASES)
def test_a_command_shows_and_changes_nothing_of_another_organization(make_tenants, tmp_path, path, kind):
    """Two organizations in one database: no command of one shows or changes a row of the other."""
    tenants = make_tenants(kind)
    places = words(tenants, tmp_path)
    before, cloud = tenants.dump("BRAVO"), tenants.cloud_of("BRAVO")
    tenants.server.simulator.journal.clear()
    tenants.alpha.extra.update(ENVIRONMENT.get(path, {}))
    machine = ("-o", "json") if "-o" in options(path) and path not in NEVER_JSON else ()
    # The foreign ones first: what ALPHA changes on its own side must not make them fail for another reason.
    for line, code in sorted(tries(path), key=lambda case: case[1] != MISSING):
        arguments = shlex.split(line.format_map(places))
        stdin = f"{PASSWORD}\n{NEW_PASSWORD}\n"
        done = tenants.alpha(*arguments, *machine, stdin=stdin, check=None)
        assert done.code == code, f"{line}: exit {done.code}\n{done.out}\n{done.err}"
        assert tenants.leaks(done.out + done.err, typed(arguments)) == [], f"{line}\n{done.out}\n{done.err}"
        if code == MISSING:
            assert done.out == ""
            assert not machine or done.error["exit_code"] == MISSING
            told = tenants.alpha(*arguments, stdin=stdin, check=MISSING)
            assert told.err.startswith("error[E-")
            assert tenants.leaks(told.out + told.err, typed(arguments)) == [], f"{line}\n{told.err}"
        after = tenants.dump("BRAVO")
        changed = [name for name in before if before[name] != after[name]]
        assert changed == [], f"{line} changed {changed}"
    assert tenants.cloud_of("BRAVO") == cloud
    asked = {
        company
        for entry in tenants.server.simulator.journal.after()
        for company in entry.query.get("company", [])
    }
    assert asked <= {"ALPHA"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_shows_a_tenant_no_more_than_json_does(make_tenants, kind):
    """The commands that list something, as people see them."""
    tenants = make_tenants(kind)
    for path, listed in CASES.items():
        if path.rsplit(" ", 1)[-1] not in {
            "list",
            "status",
            "history",
            "sessions",
            "whoami",
            "show",
            "explain",
        }:
            continue
        for line in (line for line, code in listed if code == OK and "{" not in line):
            done = tenants.alpha(*line.split())
            assert done.out + done.err  # a list without rows says so beside the data
            assert tenants.leaks(done.out + done.err, line.split()) == []


@pytest.mark.parametrize("variable", ["ELECTIS_ORG=BRAVO", "ELECTIS_STORE=007"])
@pytest.mark.parametrize(
    "line", ["space list", "space create X-1", "people list", "queue status", "queue drain"]
)
def test_the_environment_leads_into_no_other_organization(make_tenants, variable, line):
    """`--org` of another tenant exits 6 for everyone but platform roles; the environment is no way around."""
    tenants = make_tenants("sqlite")
    before = tenants.dump("BRAVO")
    name, _, value = variable.partition("=")
    tenants.alpha.extra[name] = value
    done = tenants.alpha(*line.split(), check=MISSING)
    assert tenants.leaks(done.out + done.err, [value]) == []
    assert tenants.dump("BRAVO") == before


def test_the_session_names_the_organization_whatever_the_client_says(make_tenants):
    """Flow 7: the same words, typed by each, reach each one's own rows."""
    tenants = make_tenants("sqlite")
    ours = tenants.alpha("space", "show", "S-1", "-o", "json").json
    theirs = tenants.bravo("space", "show", "S-1", "--store", "001", "-o", "json").json
    assert ours["data"] == {"ITEM_NAME": "ALPHA desk S-1", "TITLE": "ALPHA corner"}
    assert theirs["data"] == {"ITEM_NAME": "BRAVO desk S-1", "TITLE": "BRAVO corner"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_daemon_pushes_each_organization_to_its_own_company(make_tenants, kind):
    """TENANT (design 5.4): every call's company and store belong to the row's organization."""
    tenants = make_tenants(kind)
    tenants.alpha("space", "update", "S-1", "--set", "TITLE=ALPHA daemon")
    tenants.bravo("space", "update", "S-1", "--set", "TITLE=BRAVO daemon", "--store", "001")
    tenants.bravo("space", "update", "FX-9", "--set", "TITLE=BRAVO daemon", "--store", "007")
    tenants.bravo("queue", "resume", "--store", "007")
    daemon = tenants.alpha.start_daemon()
    try:

        def all_pushed() -> bool:
            rows = [
                *tenants.alpha("queue", "status", "-o", "json").json,
                *tenants.bravo("queue", "status", "-o", "json").json,
            ]
            return all(row["pending"] + row["syncing"] == 0 for row in rows)

        until(all_pushed, "both organizations' queues empty")
        assert daemon.stop() == 0
    finally:
        daemon.close()
        print(daemon.log)  # noqa: T201 - pytest shows it when the test fails
    for company, store, title in (
        ("ALPHA", "001", "ALPHA"),
        ("BRAVO", "001", "BRAVO"),
        ("BRAVO", "007", "BRAVO"),
    ):
        articles = tenants.server.simulator.store(company, store).articles
        assert articles
        shown = [str(value) for article in articles.values() for value in article.data.values()]
        other = "BRAVO" if title == "ALPHA" else "ALPHA"
        assert f"{title} daemon" in shown or store == "001"
        assert not [value for value in shown if other in value]
    assert tenants.server.simulator.store("ALPHA", "007").articles == {}
    assert "BRAVO" not in daemon.log  # no names, no contents


def test_a_copy_of_the_tenants_is_what_the_test_believes(make_tenants, tmp_path):
    """The marker is in every kind of row that could show itself, and the check finds it."""
    tenants = make_tenants("sqlite")
    dump = tenants.dump("BRAVO")
    marked = {table for table, rows in dump.items() if "BRAVO" in repr(rows).upper()}
    assert {"stores", "spaces", "people", "conference_rooms", "users", "articles", "alerts"} <= marked
    assert {"dead_letters", "outgoing_mail", "audit_log", "sync_conflicts", "organizations"} <= marked
    shown = tenants.bravo("space", "list").out
    assert set(tenants.leaks(shown, [])) == {"BRAVO", "FX-9", "FP-9", "FD-9"}
    assert homes(tmp_path / "x", None, tenants.server).alpha.home != tenants.alpha.home
