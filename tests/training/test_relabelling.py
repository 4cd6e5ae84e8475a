import json
import random
from dataclasses import replace

import pytest
import torch

from hf_spo import Example, Mention, Span, Triple
from hf_spo.data import SpoCollator, SpoDataset, example_from_row
from hf_spo.training.relabelling import DistillationPolicy, Summary, VotePolicy, distil, relabel
from hf_spo.training.voting import FactVotes, TextVotes, VotingResult, fact
from tests import builders
from tests.training import tiny

SCHEMA = builders.SCHEMA
TEXT = "《海边》和《雪国》都由何雨晴、周一鸣主演"
GOLD = builders.EXAMPLES[2]
assert GOLD.text == TEXT


def predicted(subject, value, score=0.9, predicate="主演", text=TEXT):
    (triple,) = builders.example(text, (subject, predicate, value)).triples
    return Triple(triple.subject, predicate, triple.object, score=score)


A, B, C, D = (
    predicted(*pair) for pair in (("海边", "何雨晴"), ("海边", "周一鸣"), ("雪国", "何雨晴"), ("雪国", "周一鸣"))
)


def bare(*triples):
    """Return a text with labels that have no offsets, as DuIE's."""
    labels = (Triple(Mention(t.subject.text), t.predicate, Mention(t.object.text)) for t in triples)
    return Example(TEXT, tuple(labels))


def votes_on(*models):
    """Return the votes of models, each given by the triples that it finds."""
    result = TextVotes(len(models))
    for triples in models:
        for said in dict.fromkeys(fact(triple, SCHEMA) for triple in triples):
            result.facts.setdefault(said, FactVotes()).add([t for t in triples if fact(t, SCHEMA) == said])
    return result


def run(example, votes, **rules):
    (text,) = relabel([example], VotingResult(SCHEMA, [votes]), VotePolicy(**rules))
    assert text.before == example
    return text


def pairs(example):
    return [(triple.subject.text, triple.object.text) for triple in example.triples]


class TestUnanimity:
    def test_what_all_find_is_added_and_what_none_finds_is_removed(self):
        text = run(bare(A, B), votes_on([A, C], [A, C, D]))
        assert pairs(text.after) == [("海边", "何雨晴"), ("雪国", "何雨晴")]
        assert text.after.triples[0] == bare(A).triples[0]  # a label that stays is not touched
        removed, added = (change.to_dict(TEXT) for change in text.changes)
        assert removed == {
            "text": TEXT,
            "change": "removed",
            "triple": bare(B).triples[0].to_dict(),
            "votes": 0,
            "models": 2,
            "score": None,
        }
        assert (added["change"], added["votes"], added["models"], added["score"]) == ("added", 2, 2, 0.9)
        assert Triple.from_dict(added["triple"]) == text.after.triples[1]

    def test_one_voice_keeps_a_label(self):
        assert run(bare(A), votes_on([A], [], [])).changes == []

    def test_types_may_be_missing_in_labels(self):
        assert run(bare(A), votes_on([A])).changes == []
        assert run(Example(TEXT, (A,)), votes_on([A])).changes == []

    def test_another_type_is_another_triple(self):
        firm, body = (
            predicted(("星河", kind), "1998年", 0.9, "成立日期", "星河成立于1998年") for kind in ("企业", "机构")
        )
        text = run(Example("星河成立于1998年", (firm,)), votes_on([body]))
        assert [change.triple.subject.type for change in text.changes] == ["企业", "机构"]

    def test_no_label_and_no_vote(self):
        assert run(Example(TEXT), votes_on([], [])).after == Example(TEXT)

    def test_added_triples_stand_in_the_order_of_the_text(self):
        models = [[A, B, C, D], [D, C, B, A], [B, D, A, C]]
        texts = []
        for _ in range(3):
            random.Random(0).shuffle(models)
            texts.append(run(Example(TEXT), votes_on(*models)).after)
        assert texts[0] == texts[1] == texts[2]
        assert pairs(texts[0]) == pairs(GOLD)


class TestShares:
    @pytest.mark.parametrize(("add", "count"), [(1.0, 1), (0.6, 2), (0.3, 4)])
    def test_add(self, add, count):
        text = run(Example(TEXT), votes_on([A, B, C], [A, B], [A, D]), add=add)
        assert len(text.after.triples) == count

    @pytest.mark.parametrize(("remove", "kept"), [(0.0, 3), (0.4, 2), (0.7, 1), (None, 4)])
    def test_remove(self, remove, kept):
        text = run(bare(A, B, C, D), votes_on([A, B, C], [A, B], [A]), remove=remove)
        assert len(text.after.triples) == kept

    def test_min_score_is_that_of_the_mean(self):
        votes = votes_on([predicted("海边", "何雨晴", 0.9)], [predicted("海边", "何雨晴", 0.5)])
        assert len(run(Example(TEXT), votes, min_score=0.7).changes) == 1
        assert run(Example(TEXT), votes, min_score=0.71).changes == []
        assert run(bare(A), votes, min_score=0.71).changes == []  # a label stays

    @pytest.mark.parametrize(
        ("rules", "message"),
        [
            ({"add": 0.0}, "add=0.0: expected a share above 0"),
            ({"add": 1.1}, "add=1.1"),
            ({"remove": -0.1}, "remove=-0.1: expected a share of at least 0 and below add, which is 1.0"),
            ({"add": 0.5, "remove": 0.5}, "remove=0.5: .*below add, which is 0.5"),
            ({"min_score": 2}, "min_score=2: expected a probability"),
        ],
    )
    def test_rules_that_make_no_sense(self, rules, message):
        with pytest.raises(ValueError, match=message):
            VotePolicy(**rules)


class TestWhatCannotBeJudgedStays:
    def test_an_unknown_relation(self):
        label = Triple(Mention("海边"), "续集", Mention("雪国"))
        text = run(Example(TEXT, (label,)), votes_on([], []))
        assert text.after.triples == (label,)
        assert text.changes == []

    def test_a_text_that_was_cut(self):
        votes = votes_on([A], [A])
        votes.read_whole = False
        text = run(bare(B), votes)
        assert pairs(text.after) == [("海边", "周一鸣"), ("海边", "何雨晴")]

    def test_a_text_that_no_model_was_asked_of(self):
        assert run(bare(A), TextVotes()).after == bare(A)


class TestPlaces:
    TWICE = "何雨晴、周一鸣:何雨晴主演《雪国》"

    def found(self, nth):
        actor = builders.mention(self.TWICE, "何雨晴", "人物", nth)
        return Triple(builders.mention(self.TWICE, "雪国", "影视作品"), "主演", actor, score=0.9)

    def test_the_first_place_where_a_model_finds_it(self):
        text = run(Example(self.TWICE), votes_on([self.found(1)], [self.found(0)], [self.found(1)]))
        assert text.after.triples[0].object.span == Span(0, 3)
        text = run(Example(self.TWICE), votes_on([self.found(1)]))
        assert text.after.triples[0].object.span == Span(8, 11)

    def test_the_place_where_the_text_has_it_labelled(self):
        other = Triple(self.found(1).object, "出生地", builders.mention(self.TWICE, "雪国", "地点"))
        text = run(Example(self.TWICE, (other,)), votes_on([self.found(0)]), remove=None)
        assert text.after.triples[1].object == self.found(1).object


class TestQualifiers:
    WHOLE = builders.EXAMPLES[7]

    def votes(self, *slots):
        (award,) = self.WHOLE.triples
        return votes_on(
            *(
                [
                    Triple(
                        award.subject,
                        award.predicate,
                        award.object,
                        {slot: award.qualifiers[slot] for slot in own},
                        0.9,
                    )
                ]
                for own in slots
            )
        )

    def test_those_that_enough_models_find(self):
        votes = self.votes(["inWork", "onDate"], ["onDate"], [])
        for add, expected in ((1.0, set()), (0.6, {"onDate"}), (0.3, {"inWork", "onDate"})):
            (triple,) = run(Example(self.WHOLE.text), votes, add=add).after.triples
            assert set(triple.qualifiers) == expected

    def test_they_go_with_a_removed_triple_and_stay_with_a_label(self):
        assert run(self.WHOLE, votes_on([], [])).after.triples == ()
        assert run(self.WHOLE, self.votes([], [])).after == self.WHOLE


class TestDistillation:
    def test_labels_stay_and_triples_of_teachers_get_their_mean_score(self):
        text = distilled(bare(A, B), [[C, replace(D, score=0.3)], [replace(C, score=0.5)], []])
        assert text.after.triples[:2] == bare(A, B).triples
        assert scores(text) == {("雪国", "何雨晴"): 0.4667, ("雪国", "周一鸣"): 0.1}

    def test_the_surest_teacher_counts_in_a_union(self):
        text = distilled(Example(TEXT), [[C, replace(D, score=0.3)], [replace(C, score=0.5)], []], combine="union")
        assert scores(text) == {("雪国", "何雨晴"): 0.9, ("雪国", "周一鸣"): 0.3}

    @pytest.mark.parametrize(("least", "count"), [(0.1, 2), (0.11, 1), (0.9, 0)])
    def test_what_has_too_low_a_score_is_left_out(self, least, count):
        text = distilled(Example(TEXT), [[C, replace(D, score=0.3)], [replace(C, score=0.5)], []], min_score=least)
        assert len(text.after.triples) == len(text.changes) == count

    def test_partial_labels_become_complete(self):
        for annotated in ((), ("导演",), None):
            text = distilled(replace(bare(A), annotated_predicates=annotated), [[A, D]])
            assert text.after.annotated_predicates is None
            assert pairs(text.after) == [("海边", "何雨晴"), ("雪国", "周一鸣")]

    @pytest.mark.parametrize(
        ("annotated", "value", "count"),
        [(None, "晴", 0), (("主演",), "晴", 0), (("导演",), "晴", 1), (None, "鸣", 1)],
    )
    def test_a_label_with_other_borders_is_not_added(self, annotated, value, count):
        gold = replace(bare(A), annotated_predicates=annotated)
        assert len(distilled(gold, [[predicted("海边", value)]]).changes) == count

    def test_qualifiers_that_most_of_the_finders_find(self):
        whole = builders.EXAMPLES[7]
        (award,) = whole.triples
        slots = [["inWork", "onDate"], ["onDate"], []]
        models = [
            [replace(award, qualifiers={name: award.qualifiers[name] for name in own}, score=0.9)] for own in slots
        ]
        (triple,) = distilled(Example(whole.text), [*models, []]).after.triples
        assert set(triple.qualifiers) == {"onDate"}

    def test_no_teacher_was_asked(self):
        assert distilled(bare(A), []).after == bare(A)

    @pytest.mark.parametrize(
        ("rules", "message"),
        [
            ({"combine": "vote"}, "combine='vote': expected average or union"),
            ({"min_score": 0}, "min_score=0: expected a probability above 0"),
        ],
    )
    def test_rules_that_make_no_sense(self, rules, message):
        with pytest.raises(ValueError, match=message):
            DistillationPolicy(**rules)


def distilled(example, models, **rules):
    (text,) = distil([example], VotingResult(SCHEMA, [votes_on(*models)]), DistillationPolicy(**rules))
    return text


def scores(text):
    return {
        pair: triple.score for pair, triple in zip(pairs(text.after), text.after.triples, strict=True) if triple.score
    }


def test_what_comes_out_is_read_again():
    row = distilled(bare(A, B), [[A, C], [A, C]]).after.to_dict()
    assert row["triples"][2]["score"] == 0.9
    assert example_from_row(json.loads(json.dumps(row))).to_dict() == row


def test_summary():
    summary = Summary(SCHEMA)
    strange = Triple(Mention("海边", None, "作品"), "续集", Mention("雪国", None, "作品"))
    for example, votes in (
        (bare(A, B), votes_on([A, C])),
        (Example(TEXT, (strange, A)), votes_on([A])),
        (bare(), votes_on([])),
    ):
        summary.add(run(example, votes))
    report = summary.to_dict()
    assert {name: report[name] for name in ("texts", "changed", "labelled", "added", "removed")} == {
        "texts": 3,
        "changed": 1,
        "labelled": 4,
        "added": 1,
        "removed": 1,
    }
    assert report["relations"] == [
        {
            "subject_type": "影视作品",
            "predicate": "主演",
            "object_type": "人物",
            "labelled": 3,
            "added": 1,
            "removed": 1,
        },
        {"subject_type": "作品", "predicate": "续集", "object_type": "作品", "labelled": 1, "added": 0, "removed": 0},
    ]


def test_a_soft_label_is_learnt_as_a_probability(tmp_path):
    """The product of both stages, which extraction takes for the score, becomes the score of the label."""
    text = distilled(Example(TEXT), [[replace(A, score=0.75)], [replace(A, score=0.75)], []]).after
    trainer = tiny.trainer(
        tmp_path,
        train=[text] * 4,
        soft_labels=True,
        learning_rate=3e-3,
        max_steps=100,
        ema_decay=0.0,
        lr_scheduler_type="constant",
    )
    trainer.train()
    (item,) = SpoDataset([text], builders.wordpiece_tokenizer(), SCHEMA, max_length=64)
    ((subject, objects),) = item.labels.items()
    batch = SpoCollator(0, len(SCHEMA))([item])
    with torch.no_grad():
        output = trainer.model.eval()(
            batch["input_ids"], subject_rows=batch["subject_rows"], subject_spans=batch["subject_spans"]
        )
    ((value, relation),) = objects
    learnt = [output.subject_probs[0, subject.start, 0], output.object_probs[0, value.start, relation, 0]]
    assert [float(p) for p in learnt] == pytest.approx([0.5, 1.0], abs=0.1)
