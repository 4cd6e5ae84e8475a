import pytest

from hf_spo import Example, Mention, Relation, Schema, Span, Triple, TripleExtractor
from hf_spo.data import AlignmentReport, OccurrencePolicy, example_from_row
from hf_spo.data.labels import label
from hf_spo.model.alignment import Misalignment, TokenSpan, encode
from tests import builders

pytestmark = pytest.mark.smoke

FIRST, NEAREST, ALL = OccurrencePolicy
STARRING = Schema([Relation("影视作品", "主演", "人物")])


def run(text, subject, value, tokenizer, policy=FIRST, max_length=64, schema=STARRING):
    """Label one triple; return labels and report."""
    example = Example(text, (Triple(Mention(subject), "主演", Mention(value)),))
    report = AlignmentReport()
    (encoding,) = encode(tokenizer, [text], max_length)
    return label(example, encoding, schema, policy, report), report


def duie_rows(example):
    """Return an example as rows of DuIE 2.0 and, where it has no qualifiers, 1.0."""
    version_2 = [
        {
            "predicate": triple.predicate,
            "subject": triple.subject.text,
            "subject_type": triple.subject.type,
            "object": {slot: mention.text for slot, mention in triple.slots()},
            "object_type": {slot: mention.type for slot, mention in triple.slots()},
        }
        for triple in example.triples
    ]
    yield {"text": example.text, "spo_list": version_2}
    if not any(triple.qualifiers for triple in example.triples):
        version_1 = [
            {**triple, "object": triple["object"]["@value"], "object_type": triple["object_type"]["@value"]}
            for triple in version_2
        ]
        yield {"text": example.text, "spo_list": version_1}


def round_trip(row, policy, tokenizer):
    """Read a row, label it, make its labels perfect probabilities, decode them."""
    example, report = example_from_row(row), AlignmentReport()
    (encoding,) = encode(tokenizer, [example.text], 64)
    backend = builders.GoldBackend([], tokenizer)
    backend.labels[tuple(encoding.input_ids)] = label(example, encoding, builders.SCHEMA, policy, report)
    (triples,) = TripleExtractor(backend, tokenizer, builders.SCHEMA, max_length=64)([example.text])
    assert report.aligned == report.triples == len(example.triples)
    return triples


@pytest.mark.parametrize("policy", OccurrencePolicy)
@pytest.mark.parametrize("example", builders.EXAMPLES, ids=lambda example: example.text)
def test_gold_with_offsets_decodes_to_itself(example, policy, tiny_tokenizer):
    assert builders.facts(round_trip(example.to_dict(), policy, tiny_tokenizer)) == builders.facts(example.triples)


@pytest.mark.parametrize("example", builders.EXAMPLES, ids=lambda example: example.text)
def test_gold_of_duie_decodes_to_itself(example, tiny_tokenizer):
    for row in duie_rows(example):
        assert builders.facts(round_trip(row, FIRST, tiny_tokenizer)) == builders.facts(example.triples)
        for policy in (NEAREST, ALL):
            # Where a name stands twice, the offsets may be other ones.
            found = round_trip(row, policy, tiny_tokenizer)
            assert {texts(triple) for triple in found} == {texts(triple) for triple in example.triples}


def texts(triple):
    return (triple.subject.text, triple.predicate, *((slot, mention.text) for slot, mention in triple.slots()))


def test_labels_are_inclusive_token_spans(tiny_tokenizer):
    labels, report = run("《雪国》周一鸣", "雪国", "周一鸣", tiny_tokenizer)
    assert labels == {TokenSpan(2, 3): {(TokenSpan(5, 7), 0): 1.0}}
    assert str(report) == "1 of 1 gold triples aligned (100.00%)"


@pytest.mark.parametrize(
    ("text", "subject", "value", "max_length", "cause", "mention"),
    [
        ("雪国", "雪国", "周一鸣", 64, Misalignment.NOT_IN_TEXT, "周一鸣"),
        ("雪国由周一鸣主演", "雪国", "周一鸣", 6, Misalignment.TRUNCATED, "周一鸣"),
        ("1998年", "19", "9", 64, Misalignment.INSIDE_TOKEN, "9"),
        ("雪国由😀b主演", "雪国", "b", 64, Misalignment.UNKNOWN_RUN, "b"),
    ],
)
def test_what_does_not_align_is_counted_and_not_labelled(
    text, subject, value, max_length, cause, mention, tiny_tokenizer
):
    labels, report = run(text, subject, value, tiny_tokenizer, max_length=max_length)
    assert labels == {}
    assert (report.triples, report.aligned, report.causes) == (1, 0, {cause: 1})
    assert report.examples == {cause: [(mention, text)]}
    assert str(report) == f"0 of 1 gold triples aligned (0.00%); 1 {cause}"


def test_wrong_offsets_are_not_labelled(tiny_tokenizer):
    text = "《雪国》周一鸣"
    triple = Triple(Mention("雪国", Span(0, 2)), "主演", Mention("周一鸣"))
    report = AlignmentReport()
    (encoding,) = encode(tiny_tokenizer, [text], 64)
    assert label(Example(text, (triple,)), encoding, STARRING, FIRST, report) == {}
    assert report.causes == {Misalignment.NOT_IN_TEXT: 1}


def test_one_occurrence_that_aligns_is_enough(tiny_tokenizer):
    for policy in OccurrencePolicy:
        labels, report = run("雪国😀b,b", "雪国", "b", tiny_tokenizer, policy)
        assert report.aligned == 1
        assert len(labels) == 1


def test_a_triple_keeps_the_slots_that_align(tiny_tokenizer, tiny_schema):
    text = "雪国票房三千万,😀b"
    triple = Triple(Mention("雪国"), "票房", Mention("三千万"), {"inArea": Mention("b")})
    report = AlignmentReport()
    (encoding,) = encode(tiny_tokenizer, [text], 64)
    (objects,) = label(Example(text, (triple,)), encoding, tiny_schema, FIRST, report).values()
    assert [relation for _, relation in objects] == [tiny_schema.find("票房")]
    assert (report.triples, report.aligned) == (1, 0)


def test_a_repeated_triple_is_labelled_once(tiny_tokenizer):
    triple = Triple(Mention("雪国"), "主演", Mention("周一鸣"))
    report = AlignmentReport()
    (encoding,) = encode(tiny_tokenizer, ["雪国周一鸣"], 64)
    (objects,) = label(Example("雪国周一鸣", (triple, triple)), encoding, STARRING, FIRST, report).values()
    assert len(objects) == 1
    assert report.aligned == report.triples == 2


def test_a_relation_that_is_not_in_the_schema(tiny_tokenizer):
    example = Example("雪国周一鸣", (Triple(Mention("雪国"), "作者", Mention("周一鸣")),))
    (encoding,) = encode(tiny_tokenizer, [example.text], 64)
    with pytest.raises(KeyError, match="作者"):
        label(example, encoding, STARRING, FIRST, AlignmentReport())


def test_a_report_keeps_a_few_examples_of_a_cause(tiny_tokenizer):
    report = AlignmentReport()
    (encoding,) = encode(tiny_tokenizer, ["雪国"], 64)
    example = Example("雪国", tuple(Triple(Mention("雪国"), "主演", Mention(str(n))) for n in range(9)))
    label(example, encoding, STARRING, FIRST, report)
    assert report.causes == {Misalignment.NOT_IN_TEXT: 9}
    assert [mention for mention, _ in report.examples[Misalignment.NOT_IN_TEXT]] == ["0", "1", "2", "3", "4"]
    assert AlignmentReport().share == 1.0


class TestSoft:
    TEXT = "《雪国》由周一鸣主演"

    def labels(self, tokenizer, *scores, soft=True):
        """Label one triple, once for each score."""
        triples = tuple(Triple(Mention("雪国"), "主演", Mention("周一鸣"), score=score) for score in scores)
        (encoding,) = encode(tokenizer, [self.TEXT], 64)
        (objects,) = label(Example(self.TEXT, triples), encoding, STARRING, ALL, AlignmentReport(), soft).values()
        return list(objects.values())

    @pytest.mark.parametrize(
        ("scores", "truth"), [([0.25], 0.25), ([None], 1), ([0.0], 0), ([0.25, 0.75, 0.5], 0.75), ([0.25, None], 1)]
    )
    def test_a_score_says_how_true_a_label_is(self, scores, truth, tiny_tokenizer):
        assert self.labels(tiny_tokenizer, *scores) == [truth]

    def test_and_is_passed_over_otherwise(self, tiny_tokenizer):
        assert self.labels(tiny_tokenizer, 0.25, 7.0, soft=False) == [1]

    @pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
    def test_no_probability(self, score, tiny_tokenizer):
        with pytest.raises(ValueError, match="the text beginning '《雪国》由周一鸣主演': a triple has the score"):
            self.labels(tiny_tokenizer, score)
