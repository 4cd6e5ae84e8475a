from dataclasses import replace

import numpy as np
import pytest

from hf_spo import Example, Relation, Schema
from hf_spo.data import SpoCollator, SpoDataset
from hf_spo.data.partial_labels import PartialLabels
from hf_spo.metrics import TripleScorer, judge
from hf_spo.model.schema import Mention, Triple
from tests import builders

SCHEMA = Schema([Relation("", "likes", ""), Relation("", "owns", ""), Relation("", "owns", "", "since")])


def row(text, *triples, annotated=None):
    made = tuple(Triple(Mention(s), p, Mention(o)) for s, p, o in triples)
    return Example(text, made, annotated)


COMPLETE = [
    row("Ann likes Bob", ("Ann", "likes", "Bob")),
    row("Ann likes Bob, who likes Cat", ("Ann", "likes", "Bob"), ("Bob", "likes", "Cat")),
    row("Ann owns Cat", ("Ann", "owns", "Cat")),
    row("nothing"),
]


def test_an_example_keeps_its_annotated_predicates_as_json():
    example = row("Ann likes Bob", ("Ann", "likes", "Bob"), annotated=("likes",))
    assert example.to_dict()["annotated_predicates"] == ["likes"]
    assert Example.from_dict(example.to_dict()) == example
    assert "annotated_predicates" not in COMPLETE[0].to_dict()


def test_complete_labels_are_not_partial():
    labels = PartialLabels(COMPLETE, SCHEMA)
    assert not labels
    assert labels.of(COMPLETE[0]).relations.tolist() == [1, 1, 1]


def test_the_share_of_subjects_comes_from_the_texts_that_are_annotated():
    """In four complete texts, likes has three subjects and owns one."""
    partial = [
        row("Dan likes Eve", ("Dan", "likes", "Eve"), annotated=("likes",)),  # likes: 4 subjects in 5 texts
        row("Dan owns Eve", ("Dan", "owns", "Eve"), annotated=()),  # counts for no rate
    ]
    labels = PartialLabels([*COMPLETE, *partial], SCHEMA)
    assert labels
    likes = labels.of(partial[0])
    assert likes.relations.tolist() == [1, 0, 0]
    assert likes.subjects == pytest.approx((4 / 5) / (4 / 5 + 1 / 4))
    nothing = labels.of(partial[1])
    assert nothing.relations.tolist() == [0, 0, 0]
    assert nothing.subjects == 0
    assert labels.of(COMPLETE[0]).subjects == 1
    assert str(labels) == (
        "labels of 2 of 6 texts are partial: 1 texts for 1 predicates (76% of all subjects); "
        "1 texts for 0 predicates (0% of all subjects)"
    )


def test_all_predicates_of_the_schema_are_all_subjects():
    example = row("Dan likes Eve", ("Dan", "likes", "Eve"), annotated=("likes", "owns"))
    assert PartialLabels([*COMPLETE, example], SCHEMA).of(example).subjects == pytest.approx(1)


def test_data_sets_with_different_schemas_share_no_complete_text():
    one = [row("Ann likes Bob", ("Ann", "likes", "Bob"), annotated=("likes",))] * 2
    other = [row("Ann owns Cat, and Bob Dog", ("Ann", "owns", "Cat"), ("Bob", "owns", "Dog"), annotated=("owns",))]
    labels = PartialLabels([*one, *other], SCHEMA)
    assert labels.of(one[0]).subjects == pytest.approx(1 / 3)
    assert labels.of(other[0]).subjects == pytest.approx(2 / 3)


def test_a_predicate_that_is_complete_nowhere_counts_by_its_labels():
    texts = [
        row("Ann likes Bob", ("Ann", "likes", "Bob"), annotated=("likes",)),
        row("Ann owns Cat", ("Ann", "owns", "Cat"), annotated=("likes",)),
    ]
    assert PartialLabels(texts, SCHEMA).of(texts[0]).subjects == pytest.approx(0.5)


def test_a_name_that_the_schema_lacks_is_warned_of(caplog):
    PartialLabels([row("Ann", annotated=("like",))], SCHEMA)
    assert "annotated_predicates names 1 predicates that the schema lacks, such as like" in caplog.text


@pytest.mark.parametrize("swaps", [0.0, 1.0])
def test_a_batch_says_what_is_complete(swaps, tiny_tokenizer, tiny_schema):
    partial = [replace(example, annotated_predicates=("主演",)) for example in builders.EXAMPLES[:3]]
    texts = [*partial, *builders.EXAMPLES[3:]]
    data = SpoDataset(texts, tiny_tokenizer, tiny_schema, max_length=64, entity_swap_probability=swaps)
    batch = SpoCollator(0, len(tiny_schema))([data[0], data[3]])
    lead = [float(relation.predicate == "主演") for relation in tiny_schema]
    assert batch["complete_relations"].tolist() == [lead, [1.0] * len(tiny_schema)]
    share = batch["complete_subjects"].tolist()
    assert 0 < share[0] < share[1] == 1


def test_a_batch_of_complete_labels_says_nothing(tiny_tokenizer, tiny_schema):
    data = SpoDataset(builders.EXAMPLES, tiny_tokenizer, tiny_schema, max_length=64)
    assert data[0].completeness is None
    assert not any(name.startswith("complete") for name in SpoCollator(0, len(tiny_schema))([data[0]]))


def test_relations_are_float_of_the_schema(tiny_schema):
    relations = PartialLabels(COMPLETE, SCHEMA).of(COMPLETE[0]).relations
    assert relations.dtype == np.float32
    assert relations.shape == (len(SCHEMA),)


def test_scores_do_not_count_what_no_label_judges():
    gold = row("Ann likes Bob", ("Ann", "likes", "Bob"), ("Ann", "owns", "Cat"), annotated=("likes",))
    likes, owns = gold.triples
    wrong = Triple(Mention("Bob"), "likes", Mention("Ann"))
    unjudged = Triple(Mention("Bob"), "owns", Mention("Cat"))
    assert gold.judged([likes, wrong, owns, unjudged]) == [likes, wrong, owns]
    assert replace(gold, annotated_predicates=None).judged([unjudged]) == [unjudged]
    judgement = judge(gold, [likes, wrong, unjudged], TripleScorer())
    assert (len(judgement.right), judgement.wrong, judgement.missed) == (1, (wrong,), (owns,))
