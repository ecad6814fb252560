"""What AIMS checks before an operation's own rules: token, parameters, company, store, body (contract 9.1)."""

from electis_cli.simulator import stock
from electis_cli.simulator.arrival import UNREADABLE, Arrival
from electis_cli.simulator.call import BAD_BODY, Call, Refused
from electis_cli.simulator.faults import Fault
from electis_cli.simulator.model import Cluster, Company, Store, World
from electis_cli.simulator.settings import Settings
from electis_cli.simulator.surface import Operation
from electis_cli.simulator.tokens import authenticate


def check(
    arrival: Arrival,
    operation: Operation,
    world: World,
    settings: Settings,
    faults: tuple[Fault, ...],
    now: float,
) -> Call:
    """The call an operation gets; raises Refused for what AIMS turns away by itself."""
    user = ""
    if operation.bearer:
        user = authenticate(world, settings, arrival.request.headers, now)
    call = Call(
        request=arrival.request,
        operation=operation,
        world=world,
        cluster=world.clusters[arrival.cluster],
        settings=settings,
        now=now,
        body=arrival.body,
        user=user,
        path_values=arrival.path_values,
        faults=faults,
    )
    for company in call.cluster.companies.values():
        for store in company.stores.values():
            if store.clearing:
                stock.drop_silent(store, now)
    _check_query(call)
    code = arrival.path_values.get("company", "")
    if not code and operation.requires("company"):
        code = call.text("company")
    if code:
        call.found_company = _company(world, call.cluster, user, code)
        if operation.requires("store"):
            call.found_store = _store(call.found_company, call.text("store"))
    _check_body(call)
    return call


def _check_query(call: Call) -> None:
    for name, parameter in call.operation.query.items():
        value = call.text(name)
        if not value:
            if parameter.required:
                raise Refused(405, f"FIELD_IS_MISSING({name})")
            continue
        allowed = parameter.values
        if allowed and value not in allowed and value.lower() not in allowed:
            raise Refused(405, f"{name.upper()}_IS_INVALID")
        if parameter.sort_fields:
            field, _, direction = value.partition(",")
            if field not in parameter.sort_fields or direction not in ("", "asc", "desc"):
                raise Refused(405, "SORT_IS_INVALID")


def _company(world: World, cluster: Cluster, user: str, code: str) -> Company:
    known = world.users.get(user)
    hidden = known is not None and known.companies and code not in known.companies
    if hidden or code not in cluster.companies:
        raise Refused(403, "COMPANY_NOT_FOUND")
    company = cluster.companies[code]
    if not company.licensed:
        raise Refused(403, "LICENSE_EXPIRED")
    return company


def _store(company: Company, code: str) -> Store:
    if code not in company.stores:
        raise Refused(405, "STORE_CODE_NOT_FOUND")
    return company.stores[code]


def _check_body(call: Call) -> None:
    operation = call.operation
    if operation.body is None:
        return
    if call.body is None and not operation.body_required:
        return
    if call.body is None or call.body is UNREADABLE or not operation.body.is_valid(call.body):
        raise Refused(405, BAD_BODY)
