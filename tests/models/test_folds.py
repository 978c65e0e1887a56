"""Walk-forward folds: what a fold may see, and that it stays where it is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bmastore.models.config import Splits
from bmastore.models.folds import tail_split, walk_forward


def calendar(n, gaps, horizon):
    """n increasing dates with gaps, and the label ends ``horizon`` rows later."""
    steps = np.resize(np.asarray(gaps), n + horizon)
    dates = np.datetime64("2020-01-06") + np.cumsum(steps)
    return dates[:n], dates[horizon:]


histories = st.builds(
    calendar,
    st.integers(1, 600),
    st.lists(st.integers(1, 9), min_size=1, max_size=20),
    st.integers(1, 20),
)


@given(histories)
def test_no_training_label_is_known_later_than_the_eve_of_its_test_fold(history):
    dates, ends = history
    for fold in walk_forward(dates, ends, Splits()):
        assert ends[fold.train].max() < dates[fold.test].min()


@given(histories)
def test_test_folds_are_disjoint_and_end_with_the_newest_row(history):
    dates, ends = history
    folds = walk_forward(dates, ends, Splits())
    tests = np.concatenate([fold.test for fold in folds]) if folds else np.array([])
    assert len(set(tests)) == len(tests)
    assert not folds or tests[-1] == len(dates) - 1


@given(histories, st.integers(1, 60))
def test_a_new_row_changes_no_older_fold(history, n_new):
    dates, ends = history
    n_old = max(0, len(dates) - n_new)
    before = {f.number: f for f in walk_forward(dates[:n_old], ends[:n_old], Splits())}
    after = {f.number: f for f in walk_forward(dates, ends, Splits())}
    for number in before.keys() & after.keys():
        assert np.array_equal(before[number].train, after[number].train)
        known = after[number].test[: len(before[number].test)]
        assert np.array_equal(before[number].test, known)


@given(histories, st.floats(0.05, 0.5))
def test_early_stopping_tail_is_purged_like_a_fold(history, share):
    dates, ends = history
    head, tail = tail_split(dates, ends, share)
    assert tail[-1] == len(dates) - 1
    if len(head):
        assert ends[head].max() < dates[tail].min()
        assert head.max() < tail.min()


def test_short_history_gives_no_folds():
    dates, ends = calendar(90, [1], 5)
    assert walk_forward(dates, ends, Splits()) == []
    assert walk_forward(dates[:0], ends[:0], Splits()) == []
