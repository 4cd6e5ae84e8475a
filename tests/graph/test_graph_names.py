"""Which names belong to one node."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_spo.graph.names import node_id, normalised


@pytest.mark.parametrize(
    "forms",
    [
        ["海边", "《海边》", " 海边\n", "“海边”", "「《海边》」", "〈海边〉"],
        ["ＩＢＭ", "IBM", "ibm", '"Ibm"', "I\u0042M"],
        ["1998年", "１９９８年"],
        ["Straße", "STRASSE"],
        ["Anna  Lind", "anna\u3000lind", "ANNA\tLIND"],
        ["é", "e\u0301", "É"],
    ],
)
def test_one_name_in_several_forms(forms: list[str]) -> None:
    assert len({normalised(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("《海边》与《雪国》", "海边》与《雪国"),
        ("《》", ""),
        ("'n'", "'n"),
        ("《海边", "海边"),
        ("“”", ""),
        ("《 》", " "),
    ],
)
def test_marks_stay_where_they_do_not_enclose_a_name(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)
    assert normalised(one)


@given(st.text())
def test_normalised_names_stay_as_they_are(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@given(*[st.text(st.sampled_from("a:%3A25"), max_size=4)] * 4)
def test_ids_tell_types_and_names_apart(type_: str, key: str, other_type: str, other: str) -> None:
    assert (node_id(type_, key) == node_id(other_type, other)) == ((type_, key) == (other_type, other))
