import json
from dataclasses import replace

import pytest

from hf_spo import Example, Mention, Relation, Schema, Span, Triple
from hf_spo.data import OccurrencePolicy, UnreadableRecord
from hf_spo.doctor.checks import diagnose
from hf_spo.doctor.diagnosis import Severity
from hf_spo.doctor.mentions import absence, offset_fault
from tests import builders

pytestmark = pytest.mark.smoke

TOKENIZER = builders.wordpiece_tokenizer()


def examine(examples, schema=builders.SCHEMA, max_length=64, tokenizer=TOKENIZER, **options):
    return diagnose(examples, tokenizer, schema, max_length=max_length, **options)


def findings(examples, **options):
    return {finding.topic: finding for finding in examine(examples, **options).findings}


def song(text, subject="晚风", value="白露", predicate="歌手", at=(None, None)):
    """Label a text with one triple, with offsets only if they are given."""
    spans = [span and Span(*span) for span in at]
    return Example(text, (Triple(Mention(subject, spans[0], "歌曲"), predicate, Mention(value, spans[1], "人物")),))


def test_clean_data():
    found = examine(builders.EXAMPLES)
    figures = found.figures
    assert (figures.texts, figures.triples, figures.aligned, figures.without_triples) == (8, 16, 16, 0)
    assert figures.attainable == figures.attainable_either == 1.0
    assert {finding.topic for finding in found.findings} <= {
        "rare relations",
        "absent relations",
        "nested mentions",
        "few texts",
    }
    assert found.verdict == "a model can be trained; check: rare relations; 16 of 16 triples can be learnt"


def test_no_trouble_at_all():
    many = [song(f"{'的' * (number + 1)}《晚风》由白露演唱") for number in range(25)]
    found = examine(many, Schema.infer(many))
    assert found.verdict == "no problem found; 25 of 25 triples can be learnt"
    (note,) = found.findings
    assert (note.topic, note.severity, note.count) == ("few texts", Severity.NOTE, 25)


def test_many_texts_are_not_few():
    many = [song(f"{number}《晚风》由白露演唱") for number in range(1_000)]
    assert "few texts" in findings(many[:-1])
    assert "few texts" not in findings(many)


def test_nothing_at_all():
    found = examine([])
    assert [finding.topic for finding in found.findings if finding.severity == Severity.ERROR] == ["no triples"]
    assert found.suggestions == ()
    assert found.figures.lengths.quantiles["longest"] == 0


def test_texts_without_triples():
    found = findings([Example("今天天气很好"), Example("白露"), song("白露唱《晚风》"), Example(" ")])
    assert found["texts without triples"].severity == Severity.WARNING
    assert "3 of 4 texts (75.0%)" in found["texts without triples"].what
    assert found["blank texts"].count == 1
    mostly = [song("白露唱《晚风》"), song("白露又唱《晚风》"), Example("白露")]
    assert findings(mostly)["texts without triples"].severity == Severity.NOTE


def test_the_worst_comes_first():
    levels = [finding.severity for finding in examine([song("雪国", "海边"), *builders.EXAMPLES]).findings]
    assert levels == sorted(levels, key=list(Severity).index)
    assert len(set(levels)) > 1


class TestOffsets:
    @pytest.mark.parametrize(
        ("text", "mention", "span", "cause"),
        [
            ("歌曲《晚风》由白露演唱", "晚风", Span(4, 6), "too high by 1"),
            ("歌曲《晚风》由白露演唱", "晚风", Span(2, 4), "too low by 1"),
            ("歌曲《晚风》由白露演唱", "晚风", Span(3, 4), "the end is that of the last character"),
            ("歌曲《晚风》由白露演唱", "晚风", Span(3, 9), "the start is right, the end is not"),
            ("歌曲《晚风》由白露演唱", "晚风", Span(8, 10), "far off"),
            ("歌曲《晚风》由白露演唱", "晚风", Span(90, 92), "far off"),
            ("歌曲《晚风》由白露演唱", "海边", Span(0, 2), "not there in any form"),
            ("😀😀歌曲《晚风》", "晚风", Span(7, 9), "counted in UTF-16 units"),
            ("歌曲《晚风》由白露演唱", "晚风", Span(9, 15), "counted in bytes of UTF-8"),
            ("\ud800歌曲《晚风》", "晚风", Span(5, 7), "too high by 1"),
        ],
    )
    def test_causes(self, text, mention, span, cause):
        assert offset_fault(text, mention, span) == cause

    def test_they_are_an_error_that_names_the_cause(self):
        text = "歌曲《晚风》由白露演唱"
        right = song(text, at=((3, 5), (7, 9)))
        shifted = song(text, at=((4, 6), (8, 10)))
        found = findings([right, shifted, shifted])
        wrong = found["wrong offsets"]
        assert wrong.severity == Severity.ERROR
        assert wrong.count == 2
        assert wrong.what.endswith("2 triples (2 too high by 1)")
        assert wrong.examples[0] == "'晚风' in the text beginning '歌曲《晚风》由白露演唱': [4:6] is '风》'"
        assert examine([right, shifted, shifted]).figures.aligned == 1

    def test_offsets_of_subject_and_object_exchanged(self):
        text = "歌曲《晚风》由白露演唱"
        found = findings([song(text, at=((7, 9), (3, 5)))])
        assert found["wrong offsets"].what.endswith("1 triple (1 those of subject and object are exchanged)")
        assert "1 too high by 1" in findings([song(text, at=((4, 6), (7, 9)))])["wrong offsets"].what

    def test_offsets_that_are_right_are_not_ambiguous(self):
        text = "《晚风》和晚风"
        assert examine([song(text, "晚风", "晚风")]).figures.ambiguous == 1
        assert examine([song(text, "晚风", "晚风", at=((1, 3), (5, 7)))]).figures.ambiguous == 0


class TestStrings:
    @pytest.mark.parametrize(
        ("text", "mention", "cause"),
        [
            ("Blue Harbour opened", "blue harbour", "there with other letter case"),
            ("Blue  Harbour opened", "Blue Harbour", "there with other white space"),
            ("ＢＬＵＥ海边", "BLUE", "there in another form or width of characters"),
            ("海边", "雪国", "not there in any form"),
            ("海边", " ", "not there in any form"),
        ],
    )
    def test_why_a_string_is_not_there(self, text, mention, cause):
        assert absence(text, mention) == cause

    def test_absent_and_empty_mentions(self):
        found = findings([song("《晚风》由白露演唱", "雪国"), song("《晚风》由白露演唱", value="")])
        assert found["not in the text"].severity == Severity.ERROR
        assert "1 triple (1 not there in any form)" in found["not in the text"].what
        assert found["empty mentions"].count == 1

    def test_a_few_absent_mentions_are_no_error(self):
        many = [song(f"{'的' * number}《晚风》由白露演唱") for number in range(1, 150)]
        assert findings([*many, song("海边")])["not in the text"].severity == Severity.NOTE

    def test_occurrences(self):
        twice = song("白露说,白露唱《晚风》")
        found = examine([twice, song("《晚风》由白露演唱")])
        assert (found.figures.ambiguous, found.figures.moved) == (1, 1)
        assert found.figures.aligned == 2
        (note,) = [finding for finding in found.findings if finding.topic == "ambiguous occurrences"]
        assert "1 triple (50.0%)" in note.what

    def test_subject_and_object_are_one(self):
        found = findings([song("《晚风》", "晚风", "晚风")])
        assert found["subject equals object"].examples == ("(晚风, 歌手, 晚风) in the text beginning '《晚风》'",)

    def test_nested(self):
        assert examine([song("《白露之歌》由白露演唱", "白露之歌", "白露")]).figures.nested == 1
        assert examine([song("《晚风》由白露演唱")]).figures.nested == 0

    def test_lone_surrogates(self):
        found = examine([song("\ud800《晚风》由白露演唱"), song("\ud800", "\ud800", "\ud801")])
        assert found.figures.aligned == 1
        assert "not in the text" in {finding.topic for finding in found.findings}


class TestAlignment:
    def test_causes_are_told_apart(self):
        cases = {
            "inside a token": song("1998年《晚风》", "晚风", "998年"),
            "[UNK] run": song("《晚风》 çabc白露", "晚风", "bc"),
            "border on characters no token covers": song("《晚风》\x07白露", "晚风", "\x07白露"),
            "out of reach": song("歌曲《晚风》" + "今天天气很好" * 20 + "由白露演唱"),
        }
        for cause, example in cases.items():
            found = findings([example])
            assert found[cause].count == 1, cause
            assert found[cause].severity == Severity.ERROR
            assert found[cause].advice

    def test_max_length_decides_what_is_in_reach(self):
        long = song("歌曲《晚风》" + "今天天气很好" * 20 + "由白露演唱")
        assert examine([long], max_length=64).figures.aligned == 0
        assert examine([long], max_length=256).figures.aligned == 1
        cuts = {cut.max_length: (cut.texts, cut.triples) for cut in examine([long]).figures.lengths.cuts}
        assert cuts == {64: (1, 1), 128: (1, 1), 256: (0, 0), 512: (0, 0)}

    def test_what_holds_more_is_said(self):
        middle, far = (song("歌曲《晚风》" + "今天天气很好" * count + "由白露演唱") for count in (20, 200))
        found = findings([middle, far])["out of reach"]
        assert found.what.endswith("of 64 tokens, so no model finds them: 2 triples")
        assert found.advice.startswith("max_length 256 holds all but 1 of them")
        assert found.examples[0].startswith("'晚风 … 白露' in the text beginning")
        assert findings([middle])["out of reach"].advice.startswith("max_length 256 holds all of them")
        assert findings([far])["out of reach"].advice.startswith("no common max_length holds more")

    def test_partial_labels_are_noted(self):
        example = song("《晚风》由白露演唱")
        texts = [example, replace(example, text="1《晚风》由白露演唱", annotated_predicates=("歌手",))]
        found = findings(texts)["partial labels"]
        assert (found.count, found.severity) == (1, Severity.NOTE)
        assert found.examples == ("1 text complete for 1 predicate: 歌手",)
        assert "partial labels" not in findings([example])

    def test_lengths(self):
        lengths = examine([Example("的" * count) for count in (5, 6, 7, 40)]).figures.lengths
        assert lengths.quantiles == {"50 %": 9, "90 %": 42, "95 %": 42, "99 %": 42, "longest": 42}
        assert sum(count for _, count in lengths.histogram) == 4
        assert lengths.histogram[-1] == (48, 1)

    def test_unknown_characters(self):
        figures = examine([song("谥谥《晚风》由白露琏演唱"), Example("谥")]).figures
        assert figures.unknown == 4
        assert figures.unknown_characters == (("谥", 3), ("琏", 1))
        assert figures.tokens == 13

    def test_any_tokenizer(self, any_tokenizer):
        figures = examine(builders.EXAMPLES, tokenizer=any_tokenizer, max_length=200).figures
        assert figures.aligned == figures.triples
        assert figures.attainable_either >= figures.attainable > 0.9

    def test_what_is_attainable_with_shared_borders(self):
        """A start goes with the nearest end: 鲁迅 hides 鲁迅自传, unless ends look for their starts as well."""
        schema = Schema([Relation("", "提到", "")])
        text = "鲁迅写雪国,鲁迅自传写海边"
        triples = tuple(
            Triple(Mention(subject, Span(at, at + len(subject))), "提到", Mention(value))
            for subject, at, value in (("鲁迅", 6, "雪国"), ("鲁迅自传", 6, "海边"))
        )
        found = examine([Example(text, triples)], schema)
        assert found.figures.attainable == pytest.approx(2 / 3)
        assert found.figures.attainable_either == 1.0
        assert "span_pairing" in {suggestion.setting for suggestion in found.suggestions}

    def test_qualifiers_are_aligned_too(self):
        prize = builders.EXAMPLES[-1]
        (triple,) = prize.triples
        astray = replace(triple, qualifiers={**triple.qualifiers, "inWork": Mention("雪国", None, "作品")})
        assert findings([replace(prize, triples=(astray,))])["not in the text"].count == 1


class TestRelations:
    def test_unknown_ones_are_reported(self):
        foreign = song("《晚风》由白露演唱", predicate="语言")
        odd = Example("《晚风》由白露演唱", (Triple(Mention("晚风"), "歌手", Mention("白露", None, "地点")),))
        found = findings([foreign, odd, *builders.EXAMPLES])
        unknown = found["unknown relations"]
        assert unknown.severity == Severity.ERROR
        assert unknown.count == 2
        assert "歌曲 –语言→ 人物 (1)" in unknown.what
        assert any("which has" in line for line in unknown.examples)

    def test_rare_and_absent_ones(self):
        many = [song(f"{'的' * number}《晚风》由白露演唱") for number in range(1, 21)]
        schema = Schema([Relation("歌曲", "歌手", "人物"), Relation("歌曲", "作词", "人物")])
        found = findings(many, schema=schema)
        assert "rare relations" not in found
        assert "歌曲 –作词→ 人物" in found["absent relations"].what
        assert findings(many[:5], schema=schema)["rare relations"].what.endswith("歌曲 –歌手→ 人物 (5)")

    def test_counts_are_of_all_slots(self):
        counts = dict(examine(builders.EXAMPLES).figures.relations)
        assert counts["娱乐人物 –获奖→ 奖项"] == counts["娱乐人物 –获奖.inWork→ 作品"] == 1
        assert counts["影视作品 –主演→ 人物"] == 6

    def test_spellings_and_missing_types(self):
        text = "《晚风》由白露演唱"
        examples = [
            song(text),
            song(text, predicate="歌手 "),
            Example(text, (Triple(Mention("晚风"), "歌手", Mention("白露")),)),
        ]
        found = findings(examples, schema=Schema.infer(examples))
        assert "'歌手' and '歌手 '" in found["predicates spelt in two ways"].what
        assert found["types given in part"].count == 1


class TestRows:
    def test_duplicates_and_contradictions(self):
        text = "《晚风》由白露演唱,周一鸣作曲"
        one, other = song(text), song(text, value="周一鸣", predicate="作曲")
        found = findings([one, one, one, song("《雪国》由白露演唱", "雪国")])
        assert found["duplicate rows"].count == 2
        assert "contradictory rows" not in found
        found = findings([one, one, other])
        assert (found["duplicate rows"].count, found["contradictory rows"].count) == (1, 1)
        assert "only one row has (晚风, " in found["contradictory rows"].examples[0]

    def test_duplicate_triples(self):
        one = song("《晚风》由白露演唱")
        assert findings([replace(one, triples=one.triples * 3)])["duplicate triples"].count == 2

    def test_both_directions(self):
        def father(text, *pairs):
            return Example(
                text, tuple(Triple(Mention(a, None, "人物"), "父亲", Mention(b, None, "人物")) for a, b in pairs)
            )

        schema = Schema([Relation("人物", "父亲", "人物")])
        others = [father("白露和周一鸣", ("白露", "周一鸣")), father("何雨晴和林小川", ("何雨晴", "林小川"))]
        more = [*others, father("陈立言和鲁迅", ("陈立言", "鲁迅")), father("鲁迅和雪国", ("鲁迅", "雪国"))]
        wrong = father("周一鸣是白露的父亲", ("周一鸣", "白露"))
        found = findings([*more, wrong], schema=schema)
        assert found["both directions"].what.endswith("1 pair: 父亲 (1)")
        symmetric = [father("白露和周一鸣", ("白露", "周一鸣"), ("周一鸣", "白露")), others[1]]
        assert "both directions" not in findings(symmetric, schema=schema)

    def test_overlap(self):
        overlap = examine([*builders.EXAMPLES, Example("雪国")]).figures.overlap
        assert (overlap["EPO"], overlap["SOO"], overlap["no triples"]) == (1, 1, 1)
        assert overlap["SEO"] == 2

    def test_unreadable_lines(self, tmp_path):
        bad = UnreadableRecord(str(tmp_path / "train.jsonl"), 7, "no JSON", "{")
        found = findings(builders.EXAMPLES, bad_lines=[bad])
        assert found["unreadable lines"].severity == Severity.ERROR
        assert "1 of 9 lines" in found["unreadable lines"].what
        assert found["unreadable lines"].examples == (f"{tmp_path / 'train.jsonl'}:7: no JSON",)


class TestSuggestions:
    def settings(self, examples, **options):
        return {item.setting: item for item in examine(examples, **options).suggestions}

    def test_epochs_go_down_with_the_number_of_texts(self):
        few = [song(f"{'的' * (number % 9)}{number}《晚风》由白露演唱") for number in range(40)]
        many = [song(f"{number}《晚风》由白露演唱") for number in range(4000)]
        assert self.settings(few)["num_train_epochs"].value == 100
        assert self.settings(many)["num_train_epochs"].value == 25

    def test_max_length_is_the_least_that_loses_little(self):
        short = [song("《晚风》由白露演唱")] * 20
        assert self.settings(short)["max_length"].value == 64
        assert "holds every text" in self.settings(short)["max_length"].reason
        long = song("今天天气很好" * 20 + "《晚风》由白露演唱")
        assert self.settings([*short, long])["max_length"].value == 256

    def test_no_length_is_enough(self):
        endless = song("今天天气很好" * 200 + "《晚风》由白露演唱")
        assert "max_length" not in self.settings([endless], max_length=2048)

    def test_several_subjects(self):
        assert "subjects_per_example" not in self.settings([builders.FIVE_FEATURES["one subject, many objects"]])
        assert self.settings([builders.FIVE_FEATURES["many subjects"]])["subjects_per_example"].value == 2

    def test_prior_needs_triples_that_return(self):
        assert "prior" not in self.settings([song("《晚风》由白露演唱")] * 2)
        assert self.settings([song("《晚风》由白露演唱"), song("白露唱《晚风》")])["prior"].value is True

    def test_nearest_occurrences(self):
        assert self.settings([song("白露说,白露唱《晚风》")])["occurrence_policy"].value == "nearest"
        assert "occurrence_policy" not in self.settings([song("白露唱《晚风》")])

    def test_entity_swaps_need_entities_of_one_type(self):
        assert self.settings([song("《晚风》由白露演唱")])["entity_swap_probability"].value == 0.5
        mixed = builders.example(
            "《雪国》由白露主演,雪国的作者是鲁迅", ("雪国", "主演", "白露"), ("雪国", "作者", "鲁迅")
        )
        assert "entity_swap_probability" not in self.settings([mixed])


def test_policies():
    twice = song("白露说,白露唱《晚风》")
    for policy in OccurrencePolicy:
        assert examine([twice], policy=policy).figures.aligned == 1


def test_plain_values():
    found = examine([*builders.EXAMPLES, song("雪国")])
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["verdict"] == found.verdict
    assert plain["findings"][0]["severity"] == "warning"
    assert plain["figures"]["triples"] == 17
    assert {"setting", "value", "reason"} == plain["suggestions"][0].keys()


def test_examples_are_read_once():
    assert examine(iter(builders.EXAMPLES)).figures.texts == 8
