"""Names that are listed on the command line are those that were meant, whatever is in them."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmastore import names
from bmastore.errors import ConfigError

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1)


@given(st.lists(NAMES, min_size=1))
def test_what_is_listed_is_read_again(some):
    assert names.from_list(names.listed(some)) == tuple(some)
    (typed,) = shlex.split(names.in_shell(some))
    assert names.from_list(typed) == tuple(some)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("A,B", ("A", "B")),
        (" A , B,", ("A", "B")),
        ('"A,B",C', ("A,B", "C")),
        ('A, "B,C"', ("A", "B,C")),
        ("O'Neil,BRK.B", ("O'Neil", "BRK.B")),
        ('5" nails', ('5" nails',)),
        ("", ()),
        (",", ()),
    ],
)
def test_blanks_around_names_and_empty_ones_do_not_count(text, meant):
    assert names.from_list(text) == meant


@pytest.mark.parametrize("text", ['"A', '"A"B'])
def test_a_quotation_mark_that_is_left_open_is_refused(text):
    with pytest.raises(ConfigError, match=r'write A,B, and a name that has a comma.*"A,B"'):
        names.from_list(text)
