"""What a good enough password is."""

import pytest

from electis_cli.domain.errors import WeakPassword
from electis_cli.domain.passwords import require_strong, weakness


@pytest.mark.parametrize(
    ("password", "email", "word"),
    [
        ("", "", "0 characters"),
        ("ninechars", "", "9 characters"),
        ("x" * 201, "", "more than 200"),
        ("abababababab", "", "different characters"),
        ("Password123", "", "tried first"),
        ("my-dana-desk-7", "Dana@acme.example", "email address"),
    ],
)
def test_weak_ones_are_told_why(password, email, word):
    assert word in (weakness(password, email=email) or "")
    with pytest.raises(WeakPassword) as caught:
        require_strong(password, email=email)
    assert word in caught.value.why


@pytest.mark.parametrize(
    ("password", "email"),
    [
        ("correct horse 9", ""),
        ("סיסמה ארוכה מאוד", ""),
        ("albatross flies", "al@acme.example"),
        ("tenchars-1", "dana@acme.example"),
    ],
)
def test_good_ones_pass(password, email):
    assert weakness(password, email=email) is None
    require_strong(password, email=email)
