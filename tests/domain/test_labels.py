"""Label codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.domain.errors import InvalidInput
from electis_cli.domain.labels import has_valid_checksum, normalize_label_code


@pytest.mark.parametrize("text", ["08:48:a6:eb:e2:b0", "0848-A6EB-E2B0", " 0848a6ebe2b0 ", "0848.a6eb.e2b0"])
def test_codes_are_written_as_aims_writes_them(text):
    assert normalize_label_code(text) == "0848A6EBE2B0"


@pytest.mark.parametrize(
    "text", ["", "0848A6EBE2B", "0848A6EBE2B01", "0848A6EBE2BG", "0848A6EBE2B0123", "\u0660848A6EBE2B0"]
)
def test_other_texts_are_refused(text):
    with pytest.raises(InvalidInput):
        normalize_label_code(text)


@given(st.text())
def test_any_text_is_a_code_or_refused(text):
    try:
        code = normalize_label_code(text)
    except InvalidInput:
        return
    assert len(code) in {12, 14}
    assert normalize_label_code(code) == code


@given(st.text("0123456789ABCDEF", min_size=11, max_size=11))
def test_exactly_one_last_digit_fits(digits):
    assert sum(has_valid_checksum(digits + last) for last in "0123456789ABCDEF") == 1
