"""COPY that is broken off: by the server it is a problem of the database, by Ctrl-C it is Ctrl-C."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from electis_cli.db.copying import copying
from electis_cli.db.interrupting import let_interruptions_through
from electis_cli.domain.errors import DatabaseUnavailable


@pytest.fixture(params=["postgresql"])
def engine_kind(request):
    """The embedded database has no COPY."""
    return request.param


def copy_until(database, org_id, what):
    """Copy a row, have the server end the connection, and then meet `what`."""
    with database.write(org_id) as uow:
        uow.execute(sa.text("CREATE TEMPORARY TABLE copied (text text)"))
        driver = uow.connection.connection.driver_connection
        with copying(), driver.cursor() as cursor, cursor.copy("COPY copied FROM STDIN") as copy:
            copy.write("a\n")
            with database.engine.connect() as other:
                other.execute(
                    sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": driver.info.backend_pid}
                )
            if what is not None:
                raise what


@pytest.mark.parametrize(
    ("meets", "told"),
    [(None, DatabaseUnavailable), (KeyboardInterrupt(), KeyboardInterrupt)],
    ids=["server", "person"],
)
def test_a_copy_that_breaks_off_is_told_as_what_broke_it(runtime, scope, meets, told):
    with pytest.raises(told):
        copy_until(runtime.database, scope.org_id, meets)


@pytest.mark.timeout(20)
def test_a_long_chain_of_errors_is_walked_once():
    error = LookupError("the first")
    for _ in range(200):
        following = LookupError("the next")
        following.__cause__ = following.__context__ = error
        error = following
    let_interruptions_through(error)
