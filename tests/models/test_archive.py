"""Archives: equal bytes for equal content, and a number that says who can read them."""

import numpy as np
import pytest

from bmastore.errors import ArtifactError
from bmastore.models.archive import Format, array_bytes

FORMAT = Format("thing", 2, "bmastore train")


def test_an_archive_gives_back_what_was_put_in():
    blob = FORMAT.pack({"name": "x"}, {"a": b"abc", "n.npy": array_bytes(np.arange(3))})
    archive = FORMAT.open(blob)
    assert archive.head == {"format": 2, "name": "x"}
    assert archive.file("a") == b"abc"
    assert archive.array("n.npy").tolist() == [0, 1, 2]


def test_equal_content_is_equal_bytes():
    one, two = (FORMAT.pack({"name": "x"}, {"a": bytes(1000)}) for _ in range(2))
    assert one == two


@pytest.mark.parametrize(("number", "remedy"), [(1, "bmastore train"), (99, "pip install -U")])
def test_an_archive_of_another_number_is_an_error_with_its_remedy(number, remedy):
    blob = Format("thing", number, "").pack({}, {})
    with pytest.raises(ArtifactError, match=f"format {number}, .*reads 2; run: {remedy}"):
        FORMAT.open(blob)


def test_arrays_that_would_need_a_pickle_are_refused():
    blob = FORMAT.pack({}, {"n.npy": b"\x93NUMPY\x01\x00F\x00{'descr': '|O', 'fortran_order'"})
    with pytest.raises(ValueError, match=r".*"):
        FORMAT.open(blob).array("n.npy")
