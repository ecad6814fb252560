"""Which dialects of AIMS a test speaks: few combinations in which every two words meet (contract 9.4)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

Value = tuple[str, str]
"""A word of a dialect and what it says."""


def pairs_of(chosen: Mapping[str, str]) -> set[frozenset[Value]]:
    """Return every two values of a combination."""
    return {frozenset(pair) for pair in itertools.combinations(chosen.items(), 2)}


def pairwise(choices: Mapping[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """Return combinations in which every two values of different words meet at least once, found greedily."""
    values = [(word, value) for word, known in choices.items() for value in known]
    order = [pair for pair in itertools.combinations(values, 2) if pair[0][0] != pair[1][0]]
    left = {frozenset(pair) for pair in order}
    found = []
    while left:
        chosen = dict(next(pair for pair in order if frozenset(pair) in left))
        for word in sorted(choices, key=lambda word: -len(choices[word])):
            if word not in chosen:
                chosen[word] = max(
                    choices[word], key=lambda value: len(pairs_of({**chosen, word: value}) & left)
                )
        left -= pairs_of(chosen)
        found.append({word: chosen[word] for word in choices})
    return found


def unmet(
    choices: Mapping[str, tuple[str, ...]], combinations: list[dict[str, str]]
) -> set[frozenset[Value]]:
    """Return the pairs of values that meet in none of the combinations."""
    met = set().union(*(pairs_of(one) for one in combinations))
    wanted = {
        frozenset(pair)
        for one, other in itertools.combinations(choices, 2)
        for pair in itertools.product(
            ((one, value) for value in choices[one]), ((other, value) for value in choices[other])
        )
    }
    return wanted - met
