"""One tree of errors: each says what happened, has a code that never changes, and ends in one exit code."""

from __future__ import annotations

import re

import pytest

from electis_cli.commands.exit_codes import EXIT_CODES, exit_code_of
from electis_cli.domain import errors
from electis_cli.domain.errors import ElectisError, InvalidInput, Problem


def below(kind):
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


EVERY = sorted({ElectisError, *below(ElectisError)}, key=lambda kind: kind.__name__)
OURS = [kind for kind in EVERY if f"{kind.__module__}.".startswith(f"{errors.__name__}.")]
LEAVES = [kind for kind in OURS if not kind.__subclasses__()]
CATEGORIES = ElectisError.__subclasses__()

CODES = {
    "AccountInactive": "E-ACCOUNT-INACTIVE",
    "AimsAnswerBroken": "E-AIMS-CONTRACT",
    "AimsLoginRefused": "E-AIMS-LOGIN",
    "AimsRejected": "E-AIMS-REJECTED",
    "AimsThrottled": "E-AIMS-THROTTLED",
    "AimsUnreachable": "E-AIMS-UNREACHABLE",
    "BrakeTripped": "E-BRAKE",
    "EmailTaken": "E-EMAIL-TAKEN",
    "FormatChanged": "E-FORMAT-CHANGED",
    "LockHeld": "E-LOCK-HELD",
    "SessionExpired": "E-SESSION-EXPIRED",
    "SpaceNotFound": "E-SPACE-NOT-FOUND",
    "SpaceTaken": "E-SPACE-TAKEN",
    "TimeUp": "E-TIME-UP",
    "UnknownColumn": "E-COLUMN-UNKNOWN",
}
"""Codes that scripts out there look for."""


def test_all_errors_live_in_one_place():
    assert [kind for kind in EVERY if kind.__module__.startswith("electis_cli.") and kind not in OURS] == []
    assert [kind.__name__ for kind in OURS if getattr(errors, kind.__name__, None) is not kind] == []


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_error_says_by_itself_what_happened(kind):
    own = kind.__dict__.get("__doc__")
    assert own, "an inherited docstring is somebody else's message"
    assert own == own.strip()
    assert own.endswith(".")
    assert kind().message == own
    assert str(kind("Something else.")) == "Something else."


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_error_has_a_code_and_an_exit_code(kind):
    assert re.fullmatch(r"E-[A-Z]+(-[A-Z]+)*", kind.code)
    assert exit_code_of(kind()) == (
        1 if kind is ElectisError else exit_code_of(next(c for c in CATEGORIES if issubclass(kind, c))())
    )


def test_no_two_leaves_share_a_code():
    by_code: dict[str, list[str]] = {}
    for kind in LEAVES:
        by_code.setdefault(kind.code, []).append(kind.__name__)
    assert {code: names for code, names in by_code.items() if len(names) > 1} == {}


def test_every_leaf_states_its_own_code():
    assert [kind.__name__ for kind in LEAVES if "code" not in kind.__dict__] == []


def test_codes_never_change():
    assert {name: getattr(errors, name).code for name in CODES} == CODES


def test_every_category_has_an_exit_code_of_its_own():
    assert set(EXIT_CODES) == {ElectisError, *CATEGORIES}
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)


def test_what_may_work_later_is_retryable_and_what_never_will_is_not():
    again = {kind.__name__ for kind in OURS if kind.retryable}
    assert {"Unreachable", "AimsUnreachable", "AimsAmbiguous", "AimsThrottled", "LockHeld", "TimeUp"} <= again
    assert not again & {"AimsRejected", "SpaceTaken", "WrongCredentials", "SchemaTooOld", "InvalidInput"}


def test_an_error_keeps_why_fix_and_details_apart():
    error = errors.SpaceTaken("Taken.", why="P1 sits there.", fix="electis people unassign P1", space="4-1")
    assert (error.message, error.why, error.fix) == ("Taken.", "P1 sits there.", "electis people unassign P1")
    assert error.details == {"space": "4-1"}


def test_an_error_without_a_fix_of_its_own_offers_its_kinds_fix():
    assert errors.SpaceNotFound().fix == "electis space list"


def test_invalid_input_carries_every_problem_with_its_place():
    problem = Problem(code="E-TIME", message="25:99 is no time.", line=17, column=3)
    assert InvalidInput(problems=(problem,)).problems == (problem,)
    assert InvalidInput().problems == ()
