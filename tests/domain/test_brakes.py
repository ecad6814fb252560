"""What holds a plan until a person approves it, and what an approval is tied to (design 5.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from electis_cli.domain.articles import content_hash
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.reconcile import Step, make_plan
from tests.world.planned import SEEN, A, B, C, known, odd, row, subject, terms, tombstone

# --- the digest an approval is tied to ------------------------------------------------------------------------------


def test_an_approval_does_not_fit_a_plan_in_which_anything_moved():
    one = subject(row(A, **odd(B)), A, B)
    digest = make_plan([one], terms()).digest
    moved = subject(one.row._replace(desired_version=6, synced_version=6), A, B)
    other_value = subject(row(A, **odd(C)), A, C)
    more = subject(row(A), B, A, article_id="4-2")
    assert make_plan([moved], terms()).digest != digest
    assert make_plan([other_value], terms()).digest != digest
    assert make_plan([one, more], terms()).digest != digest


def test_an_approval_does_not_fit_other_values_of_the_same_articles():
    base, local, remote = {"TITLE": "a"}, {"TITLE": "b"}, {"TITLE": "c", "PHONE": "2"}
    one = subject(row(base, dirty=True, **odd(remote)), local, remote)
    merged, taken = (make_plan([one], terms(strategy=item)) for item in (Strategy.MERGE, Strategy.AIMS_WINS))
    assert [action.step for action in (*merged.actions, *taken.actions)] == [Step.ADOPT, Step.ADOPT]
    assert merged.digest != taken.digest


def test_an_approval_still_fits_when_only_quiet_articles_joined():
    one = subject(row(A, **odd(B)), A, B)
    quiet = subject(row(A), A, A, article_id="4-2")
    assert make_plan([one], terms()).digest == make_plan([one, quiet], terms()).digest


# --- brakes ---------------------------------------------------------------------------------------------------------


def many(count, make, first=0):
    return [make(f"{place:04}") for place in range(first, first + count)]


def in_sync(article_id):
    return subject(row(A, article_id=article_id), A, A, article_id=article_id)


def missing(article_id):
    return subject(row(A, article_id=article_id), A, None, article_id=article_id)


def forgotten(article_id):
    return subject(row(A, article_id=article_id), B, A, article_id=article_id)


def back_from_the_dead(article_id):
    return subject(tombstone(article_id=article_id), None, A, known=known(A), article_id=article_id)


def brakes(subjects, **changes):
    return {brake.name for brake in make_plan(subjects, terms(**changes)).brakes}


def test_ten_deletions_pass_and_eleven_hold_the_plan_of_a_small_store():
    assert brakes([*many(50, in_sync), *many(10, back_from_the_dead, 100)]) == set()
    assert brakes([*many(50, in_sync), *many(11, back_from_the_dead, 100)]) == {"deletions"}


def test_a_tenth_of_a_big_store_may_be_deleted_and_no_more():
    assert brakes([*many(300, in_sync), *many(30, back_from_the_dead, 500)]) == set()
    assert brakes([*many(300, in_sync), *many(31, back_from_the_dead, 500)]) == {"deletions"}


def test_an_empty_aims_holds_the_plan():
    assert brakes(many(40, missing)) == {"empty_remote"}


def test_an_empty_aims_holds_the_plan_although_one_article_is_just_being_edited():
    edited = subject(row(A, dirty=True, article_id="9999"), B, None, article_id="9999")
    assert "empty_remote" in brakes([*many(40, missing), edited])


def test_an_empty_database_holds_the_plan():
    emptied = many(
        40, lambda article_id: subject(row(A, article_id=article_id), None, A, article_id=article_id)
    )
    assert "empty_local" in brakes(emptied)


def test_overwriting_more_than_half_of_a_store_holds_the_plan():
    assert brakes([*many(50, in_sync), *many(50, forgotten, 100)]) == set()
    assert brakes([*many(49, in_sync), *many(51, forgotten, 100)]) == {"overwritten"}


def test_a_first_contact_knows_no_brakes_because_it_has_no_past():
    assert brakes(many(40, missing), first_contact=True) == set()
    assert brakes([]) == set()


def test_a_brake_says_how_much_and_how_much_would_have_been_fine():
    (brake,) = make_plan([*many(50, in_sync), *many(11, back_from_the_dead, 100)], terms()).brakes
    assert (brake.count, brake.limit) == (11, 10)


def linked_and_back(article_id):
    return replace(back_from_the_dead(article_id), is_linked=True)


def deleted_there(article_id):
    return subject(row(A, article_id=article_id, **SEEN), A, None, article_id=article_id)


def test_one_article_with_labels_about_to_be_deleted_holds_the_plan():
    assert brakes([in_sync("1"), linked_and_back("2")]) == {"linked_deletions"}
    assert brakes([replace(in_sync("1"), is_linked=True), back_from_the_dead("2")]) == set()


def test_removals_here_are_braked_as_deletions_there_are():
    store = many(50, in_sync)
    assert brakes([*store, *many(10, deleted_there, 100)], strategy=Strategy.AIMS_WINS) == set()
    assert brakes([*store, *many(11, deleted_there, 100)], strategy=Strategy.AIMS_WINS) == {"removals"}


@pytest.mark.parametrize(("most", "held"), [(None, True), (10, True), (11, False), (0, True)])
def test_a_person_says_how_much_may_be_deleted(most, held):
    found = brakes([*many(50, in_sync), *many(11, back_from_the_dead, 100)], most_deletions=most)
    assert found == ({"deletions"} if held else set())


@pytest.mark.parametrize("first_contact", [False, True])
def test_another_binding_or_a_restored_database_holds_even_a_plan_without_writes(first_contact):
    assert brakes([in_sync("1")], rebound=True, first_contact=first_contact) == {"changed_binding"}
    assert brakes([in_sync("1")], restored=True, first_contact=first_contact) == {"restored_database"}


def test_tombstones_are_no_bases_and_an_empty_store_of_them_is_no_alarm():
    agreed, on_its_way = {"base": None}, {"base": A, "base_hash": content_hash(A), "dirty": True}
    for changes in (agreed, on_its_way):
        base = changes.pop("base")
        gone = [
            subject(row(base, article_id=name, desired_deleted=True, **changes), None, None, article_id=name)
            for name in ("1", "2")
        ]
        assert brakes(gone) == set()


def test_a_store_of_one_article_is_braked_when_it_is_empty_all_at_once():
    assert brakes([missing("1")]) == {"empty_remote"}


# --- brakes of any store ----------------------------------------------------------------------------------------------


def added_there(article_id):
    return subject(None, None, C, article_id=article_id)


def gone_here(article_id):
    return subject(tombstone(article_id=article_id), None, None, article_id=article_id)


def drifted(article_id):
    return subject(row(A, article_id=article_id, **odd(B)), A, B, known=known(B), article_id=article_id)


def edited_there(article_id):
    return subject(row(A, article_id=article_id, **odd(C)), A, C, article_id=article_id)


KINDS = (
    in_sync, missing, forgotten, back_from_the_dead, linked_and_back, deleted_there, added_there, gone_here, drifted,
    edited_there,
)  # fmt: skip
SIZES = st.tuples(*(st.integers(0, 25) for _ in KINDS))


def store_of(sizes):
    return [
        make(f"{place:02}{number:03}")
        for place, (make, size) in enumerate(zip(KINDS, sizes, strict=True))
        for number in range(size)
    ]


def expected_brakes(sizes, most):
    """Read the brakes off the design's sentence, from how many articles there are of each kind."""
    count = dict(zip(KINDS, sizes, strict=True))
    bases = sum(count[kind] for kind in (in_sync, missing, forgotten, deleted_there, drifted, edited_there))
    listed = sum(sizes) - count[missing] - count[deleted_there] - count[gone_here]
    limit = max(10, bases // 10) if most is None else most
    found = set()
    if count[back_from_the_dead] + count[linked_and_back] > limit:
        found.add("deletions")
    if count[deleted_there] > limit:
        found.add("removals")
    if count[linked_and_back]:
        found.add("linked_deletions")
    if bases and not listed:
        found.add("empty_remote")
    if count[forgotten] + count[drifted] + count[edited_there] > max(10, bases // 2):
        found.add("overwritten")
    return found


@given(sizes=SIZES, most=st.none() | st.integers(0, 60))
@settings(max_examples=150, deadline=None)
def test_the_brakes_are_those_of_the_design_and_no_others(sizes, most):
    found = brakes(store_of(sizes), strategy=Strategy.AIMS_WINS, most_deletions=most)
    assert found == expected_brakes(sizes, most)


BAD_KINDS = (forgotten, back_from_the_dead, linked_and_back, deleted_there, drifted)


@given(
    sizes=SIZES,
    worse=st.sampled_from(BAD_KINDS),
    by=st.integers(1, 20),
    most=st.none() | st.integers(0, 60),
    rebound=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_more_of_the_same_harm_never_lifts_a_brake(sizes, worse, by, most, rebound):
    options = {"strategy": Strategy.AIMS_WINS, "most_deletions": most, "rebound": rebound}
    more = list(sizes)
    more[KINDS.index(worse)] += by
    # An article that is listed again is no harm to an empty remote side.
    before = brakes(store_of(sizes), **options) - {"empty_remote"}
    after = brakes(store_of(more), **options)
    # Limits are shares of the bases: with more bases more of another harm may happen, but not of the one that grew.
    grown = {deleted_there: {"removals"}, forgotten: {"overwritten"}, drifted: {"overwritten"}}.get(worse)
    may_lift = set() if grown is None else {"overwritten"} - grown
    if grown is not None and most is None:
        may_lift |= {"deletions", "removals"} - grown
    assert before - after <= may_lift


@given(sizes=SIZES, low=st.integers(0, 60), more=st.integers(0, 60))
@settings(max_examples=100, deadline=None)
def test_who_allows_more_deletions_gets_fewer_brakes(sizes, low, more):
    store = store_of(sizes)
    strict = brakes(store, strategy=Strategy.AIMS_WINS, most_deletions=low)
    loose = brakes(store, strategy=Strategy.AIMS_WINS, most_deletions=low + more)
    assert loose <= strict


@given(sizes=SIZES)
@settings(max_examples=100, deadline=None)
def test_a_brake_that_is_told_was_passed(sizes):
    for brake in make_plan(store_of(sizes), terms(strategy=Strategy.AIMS_WINS)).brakes:
        assert brake.count > brake.limit >= 0
