from threading import Event

import pytest

from hf_spo.cli.stream import without_waiting


def test_items_are_given_as_they_come():
    gate, items = Event(), iter("abc")

    def slow():
        yield next(items)
        gate.wait(10)
        yield from items

    chunks = without_waiting(slow())
    assert next(chunks) == ["a"]
    gate.set()
    assert [item for chunk in chunks for item in chunk] == ["b", "c"]


def test_what_goes_wrong_comes_after_the_items_before_it():
    def broken():
        yield from range(3000)
        raise OSError("gone")

    chunks, found = without_waiting(broken()), []
    while len(found) < 3000:
        found += next(chunks)
    assert found == list(range(3000))
    with pytest.raises(OSError, match="gone"):
        next(chunks)
    assert list(without_waiting(iter(()))) == []
