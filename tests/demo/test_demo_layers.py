"""Where nodes of a small graph go."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hf_spo.demo.layers import arrange

NAMES = st.sampled_from("abcdefgh")


def columns(pairs):
    return {name: place.column for name, place in arrange(pairs)[0].items()}


def test_a_star_has_two_columns_and_a_row_each():
    places, turned = arrange([("s", "a"), ("s", "b"), ("s", "c")])
    assert columns(turned) == {"s": 0, "a": 1, "b": 1, "c": 1}
    assert [places[name].middle for name in "sabc"] == [1.5, 0.5, 1.5, 2.5]


def test_a_chain_has_a_column_each_and_one_row():
    places, _ = arrange([("a", "b"), ("b", "c")])
    assert columns([("a", "b"), ("b", "c")]) == {"a": 0, "b": 1, "c": 2}
    assert {place.middle for place in places.values()} == {0.5}


def test_a_node_is_right_of_all_that_lead_to_it():
    assert columns([("a", "c"), ("a", "b"), ("b", "c")]) == {"a": 0, "b": 1, "c": 2}


def test_a_circle_is_opened():
    places, turned = arrange([("a", "b"), ("b", "a")])
    assert turned == {("a", "b"): ("a", "b"), ("b", "a"): ("a", "b")}
    assert places["b"].ports == [("a", "b")]


def test_several_that_arrive_take_a_row_each_in_the_order_of_their_sources():
    places, _ = arrange([("a", "x"), ("b", "x"), ("c", "x")])
    assert places["x"].ports == [("a", "x"), ("b", "x"), ("c", "x")]
    assert places["x"].rows == 3
    assert places["x"].middle == 1.5


def test_what_hangs_on_a_high_node_is_centred():
    places, _ = arrange([("a", "x"), ("b", "x"), ("c", "x"), ("x", "y"), ("y", "z")])
    assert places["z"].middle == places["y"].middle == places["x"].middle


def test_nothing_and_self_references_have_no_place():
    assert arrange([]) == ({}, {})
    assert arrange([("a", "a")]) == ({}, {})


@given(st.lists(st.tuples(NAMES, NAMES), max_size=20))
def test_no_two_nodes_overlap_and_edges_lead_right(pairs):
    places, turned = arrange(pairs)
    assert set(turned) == {pair for pair in pairs if pair[0] != pair[1]}
    for source, target in turned.values():
        assert places[source].column < places[target].column
        assert (source, target) in places[target].ports
    for column in {place.column for place in places.values()}:
        bands = sorted((place.top, place.rows) for place in places.values() if place.column == column)
        for (top, rows), (following, _) in pairwise(bands):
            assert top + rows <= following + 1e-9
