"""One thread commits while another reads and hands out: what it is given is done in order."""

import threading

import pytest

from bmastore.training.background import in_background


def test_all_is_done_in_order_by_one_other_thread():
    done, threads = [], set()

    def do(number, *, sign):
        threads.add(threading.get_ident())
        done.append(sign * number)

    with in_background(do) as give:
        for number in range(100):
            give(number, sign=-1)

    assert done == [-number for number in range(100)]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_the_caller_goes_on_but_no_more_than_a_few_wait():
    given, waiting = [], []

    def do(number):
        while len(given) < 5:  # these can be given while the first is being done
            pass
        sum(range(50_000))
        waiting.append(len(given) - number)

    with in_background(do) as give:
        for number in range(200):
            give(number)
            given.append(number)

    assert len(waiting) == 200
    assert max(waiting) < 50


@pytest.mark.parametrize("more", [0, 1, 50])
def test_nothing_is_done_after_an_error_which_the_caller_is_told(more):
    done = []

    def do(number):
        done.append(number)
        if number == 3:
            raise OSError("no room on the disk")

    def give_all():
        with in_background(do) as give:
            for number in range(4 + more):
                give(number)

    with pytest.raises(OSError, match="no room"):
        give_all()

    assert done == [0, 1, 2, 3]


def test_where_an_error_ends_it_what_is_begun_is_waited_for_and_the_rest_dropped():
    is_failing, done = threading.Event(), []

    def do(number):
        is_failing.wait()
        sum(range(50_000))
        done.append(number)

    def give_and_fail():
        with in_background(do) as give:
            for number in range(30):
                give(number)
            is_failing.set()
            raise KeyError("elsewhere")

    with pytest.raises(KeyError, match="elsewhere"):
        give_and_fail()

    n_done = len(done)
    assert done == list(range(n_done))
    assert n_done < 30
