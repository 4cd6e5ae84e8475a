"""Known triples, and what may be known of a text in training."""

import json
import pickle
import sys
from dataclasses import replace

import pytest

from hf_spo import Example, Mention, Relation, Schema, Span, Triple, TripleStore
from hf_spo.model import triple_store
from hf_spo.model.triple_store import stated_triples
from tests import builders

SCHEMA = builders.SCHEMA
LEAD, DIRECTOR, AUTHOR = (SCHEMA.find(predicate) for predicate in ("主演", "导演", "作者"))
AREA, VALUE = SCHEMA.find("票房", slot="inArea"), SCHEMA.find("票房", object_type="Number")


def store(*triples):
    found = TripleStore(SCHEMA)
    for triple in triples:
        found.add(*triple)
    return found


def written(text, found):
    """Return candidates as strings."""
    return {(text[s.start : s.end], relation, text[o.start : o.end]) for s, o, relation in found}


def known(store, example):
    """Return what a store knows of a text that it was made of, or that it is used on in training."""
    found = store.candidates(example.text, [stated_triples(example, store.schema)])
    return written(example.text, found)


class TestCandidates:
    def test_subject_and_object_have_to_be_in_the_text(self):
        found = store(("海边", LEAD, "何雨晴"), ("海边", LEAD, "周一鸣"), ("雪国", LEAD, "何雨晴"))
        text = "何雨晴主演的《海边》上映了"
        assert written(text, found.candidates(text)) == {("海边", LEAD, "何雨晴")}
        assert found.candidates("《海边》上映了") == []
        assert found.candidates("") == []

    def test_they_stand_at_their_first_places(self):
        found = store(("海边", LEAD, "何雨晴"))
        assert found.candidates("海边,何雨晴,海边,何雨晴") == [(Span(0, 2), Span(3, 6), LEAD)]

    def test_names_within_names(self):
        found = store(("鲁迅自传", AUTHOR, "鲁迅"), ("自传", AUTHOR, "鲁迅自传"))
        assert found.candidates("读《鲁迅自传》") == [
            (Span(2, 6), Span(2, 4), AUTHOR),
            (Span(4, 6), Span(2, 6), AUTHOR),
        ]

    def test_a_pair_may_have_several_relations(self):
        found = store(("海边", LEAD, "何雨晴"), ("海边", DIRECTOR, "何雨晴"))
        text = "何雨晴自导自演《海边》"
        assert written(text, found.candidates(text)) == {("海边", LEAD, "何雨晴"), ("海边", DIRECTOR, "何雨晴")}

    def test_positions_are_code_points(self):
        assert store(("😀海边", LEAD, "𠜎"), ("海", LEAD, "边")).candidates("😀😀海边𠜎") == [
            (Span(1, 4), Span(4, 5), LEAD),
            (Span(2, 3), Span(3, 4), LEAD),
        ]

    def test_a_lone_surrogate_in_a_text(self):
        assert store(("海边", LEAD, "白露")).candidates("\ud800海边\udfff白露") == [(Span(1, 3), Span(4, 6), LEAD)]

    def test_an_empty_store(self):
        assert store().candidates("何雨晴主演《海边》") == []
        assert len(store()) == 0

    def test_what_is_empty_is_not_put_in(self):
        assert len(store(("", LEAD, "何雨晴"), ("海边", LEAD, ""))) == 0

    def test_a_triple_that_is_put_in_later_is_found(self):
        found = store(("海边", LEAD, "何雨晴"))
        assert len(found.candidates("《海边》《雪国》,何雨晴")) == 1
        found.add("雪国", LEAD, "何雨晴")
        assert len(found.candidates("《海边》《雪国》,何雨晴")) == 2
        assert len(found) == 2

    def test_slots_are_entries_of_their_own(self):
        (box_office,) = [item for item in builders.EXAMPLES if "三千万" in item.text]
        found = TripleStore.from_examples([box_office], SCHEMA)
        assert len(found) == 2
        text = "《雪国》在北京收获三千万"
        assert written(text, found.candidates(text)) == {("雪国", VALUE, "三千万"), ("雪国", AREA, "北京")}
        assert written("《雪国》在北京", found.candidates("《雪国》在北京")) == {("雪国", AREA, "北京")}


# Three texts whose triples nobody else states, and two that share one.
UNIQUE = [
    builders.example("《远山的灯》由林小川执导", ("远山的灯", "导演", "林小川")),
    builders.example("陈立言出生于苏州", ("陈立言", "出生地", "苏州")),
    builders.example("《雪国》在北京的票房是三千万", ("雪国", "票房", "三千万", {"inArea": "北京"})),
]
SHARED = [
    builders.example("《海边》由何雨晴主演", ("海边", "主演", "何雨晴")),
    builders.example("何雨晴凭主演《海边》成名", ("海边", "主演", "何雨晴")),
]


def check_for_leaks(found, examples):
    """Assert that no text whose triples it alone states finds any of them in a store."""
    texts = {}
    for example in examples:
        for triple in stated_triples(example, SCHEMA):
            texts.setdefault(triple, set()).add(example.text)
    alone = [example for example in examples if all(len(texts[t]) == 1 for t in stated_triples(example, SCHEMA))]
    assert len(alone) >= 3
    for example in alone:
        assert not known(found, example), example.text


class TestTraining:
    def test_a_text_does_not_find_what_it_alone_states(self):
        examples = [*UNIQUE, *SHARED]
        found = TripleStore.from_examples(examples, SCHEMA)
        check_for_leaks(found, examples)
        for example in UNIQUE:
            assert found.candidates(example.text)  # but would, were it not known that it states them

    @pytest.mark.parametrize("texts", [0, 2])
    def test_a_store_that_counts_a_texts_own_triples_leaks(self, texts):
        """The check above finds it."""
        examples = [*UNIQUE, *SHARED]
        naive = TripleStore(SCHEMA)
        for example in examples:
            for triple in stated_triples(example, SCHEMA):
                naive.add(*triple, texts=texts)
        with pytest.raises(AssertionError):
            check_for_leaks(naive, examples)

    def test_a_text_finds_what_another_one_states_too(self):
        found = TripleStore.from_examples([*UNIQUE, *SHARED], SCHEMA)
        for example in SHARED:
            assert known(found, example) == {("海边", LEAD, "何雨晴")}

    def test_the_same_text_twice_is_one(self):
        """Data sets hold some texts several times; a copy is no other witness."""
        examples = [*UNIQUE, *UNIQUE, replace(UNIQUE[0])]
        check_for_leaks(TripleStore.from_examples(examples, SCHEMA), examples)

    def test_a_triple_twice_in_a_text_is_one(self):
        (example,) = [Example(UNIQUE[0].text, UNIQUE[0].triples * 2)]
        assert known(TripleStore.from_examples([example], SCHEMA), example) == set()

    def test_a_text_finds_what_it_is_not_labelled_with(self):
        found = TripleStore.from_examples([*UNIQUE, *SHARED], SCHEMA)
        unlabelled = Example("何雨晴谈《海边》,林小川谈《远山的灯》")
        assert known(found, unlabelled) == {("海边", LEAD, "何雨晴"), ("远山的灯", DIRECTOR, "林小川")}

    def test_what_comes_from_elsewhere_is_known_of_every_text(self):
        found = store(("远山的灯", DIRECTOR, "林小川"))
        assert known(found, UNIQUE[0]) == {("远山的灯", DIRECTOR, "林小川")}

    def test_the_relation_counts_too(self):
        """A text that alone states that he directs it may know that he stars in it."""
        other = builders.example("林小川也主演了《远山的灯》", ("远山的灯", "主演", "林小川"))
        found = TripleStore.from_examples([UNIQUE[0], other], SCHEMA)
        assert known(found, UNIQUE[0]) == {("远山的灯", LEAD, "林小川")}

    def test_two_subject_types_are_two_relations(self):
        text = "星河科技成立于1998年"
        firm, body = (builders.example(text, (("星河科技", kind), "成立日期", "1998年")) for kind in ("企业", "机构"))
        found = TripleStore.from_examples([firm], SCHEMA)
        assert known(found, firm) == set()
        assert len(known(found, body)) == 1

    def test_a_store_of_some_folds_knows_nothing_of_another(self):
        folds = [[*UNIQUE[:1], *SHARED[:1]], UNIQUE[1:], SHARED[1:]]
        for number, held_out in enumerate(folds):
            rest = [example for other, fold in enumerate(folds) if other != number for example in fold]
            found = TripleStore.from_examples(rest, SCHEMA)
            stated = {triple for example in rest for triple in stated_triples(example, SCHEMA)}
            for example in held_out:
                got = written(example.text, found.candidates(example.text))
                assert got == stated & stated_triples(example, SCHEMA)
        assert TripleStore.from_examples(folds[0], SCHEMA).candidates(UNIQUE[1].text) == []

    def test_a_relation_that_is_not_in_the_schema(self):
        with pytest.raises(KeyError, match="导演"):
            TripleStore.from_examples(UNIQUE, Schema([Relation("影视作品", "主演", "人物")]))


@pytest.fixture
def file(tmp_path):
    def file(content, name="known.tsv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return file


def triples(found):
    return {
        (subject, relation, value): texts
        for subject, objects in found._texts.items()
        for value, relations in objects.items()
        for relation, texts in relations.items()
    }


class TestFiles:
    def test_columns(self, file):
        content = "海边\t主演\t何雨晴\n\n星河科技\t成立日期\t1998年\t企业\tDate\r\n雪国\t票房\t北京\t\tNumber\n"
        assert triples(TripleStore.from_file(file("\ufeff" + content), SCHEMA)) == {
            ("海边", LEAD, "何雨晴"): 0,
            ("星河科技", SCHEMA.find("成立日期", "企业"), "1998年"): 0,
            ("雪国", VALUE, "北京"): 0,
        }

    def test_json_lines(self, file):
        rows = [
            {"subject": "海边", "predicate": "主演", "object": "何雨晴"},
            {"subject": "星河科技", "subject_type": "企业", "predicate": "成立日期", "object": "1998年"},
            {"subject": {"text": "晨光会", "type": "机构"}, "predicate": "成立日期", "object": {"text": "1990年"}},
            {"subject": "雪国", "predicate": "票房", "object": "北京", "slot": "inArea", "texts": 3},
            Triple(Mention("晚风", None, "歌曲"), "歌手", Mention("白露", Span(0, 2), "人物")).to_dict(),
        ]
        content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        assert triples(TripleStore.from_file(file(content, "known.jsonl"), SCHEMA)) == {
            ("海边", LEAD, "何雨晴"): 0,
            ("星河科技", SCHEMA.find("成立日期", "企业"), "1998年"): 0,
            ("晨光会", SCHEMA.find("成立日期", "机构"), "1990年"): 0,
            ("雪国", AREA, "北京"): 3,
            ("晚风", SCHEMA.find("歌手"), "白露"): 0,
        }

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("海边\t主演", "got 2 columns, expected subject, predicate and object"),
            ("海边\t主演\t何雨晴\t影视作品", "got 4 columns, expected"),
            ("海边 主演 何雨晴", "got 1 columns, expected"),
            ("海边\t\t何雨晴", "the first three not empty"),
            ("海边\t主角\t何雨晴", r"主角.* is not in the schema"),
            ("星河科技\t成立日期\t1998年", "fits 2 relations of the schema; give the subject and object type"),
            ("海边\t主演\t何雨晴\t歌曲\t人物", r"\(歌曲, 主演, 人物, @value\) is not in the schema"),
            (b"\xff\t\xff\t\xff", "utf-8"),
        ],
    )
    def test_a_bad_line(self, file, line, message):
        content = "海边\t主演\t何雨晴\n".encode() + (line if isinstance(line, bytes) else line.encode())
        with pytest.raises(ValueError, match=rf"known\.tsv:2: .*{message}.*; correct or delete the line"):
            TripleStore.from_file(file(content), SCHEMA)

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("{", "not JSON .*; expected one object a line"),
            ("[]", "expected a JSON object, got list"),
            ('{"predicate": "主演", "object": "何雨晴"}', '"subject": expected some text, got None'),
            ('{"subject": "海边", "predicate": 3, "object": "何雨晴"}', '"predicate": expected some text, got 3'),
            ('{"subject": "海边", "predicate": "主演", "object": ""}', '"object": expected some text'),
            ('{"subject": {"type": "x"}, "predicate": "主演", "object": "何雨晴"}', '"text": expected some text'),
            ('{"subject": "海边", "predicate": "主演", "object": "何雨晴", "texts": -1}', '"texts": expected a whole'),
            ('{"subject": "海边", "predicate": "主演", "object": "何雨晴", "texts": "1"}', '"texts": expected a whole'),
            ('{"subject": "海边", "predicate": "主演", "object": "何雨晴", "slot": "onDate"}', "is not in the schema"),
        ],
    )
    def test_a_bad_json_line(self, file, line, message):
        with pytest.raises(ValueError, match=rf"known\.jsonl:1: .*{message}.*; correct or delete the line"):
            TripleStore.from_file(file(line, "known.jsonl"), SCHEMA)

    def test_no_such_file(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            TripleStore.from_file(tmp_path / "none.tsv", SCHEMA)

    def test_saved_and_read_again(self, tmp_path):
        found = TripleStore.from_examples([*UNIQUE, *SHARED, *builders.EXAMPLES], SCHEMA)
        found.add("tab\there\n", LEAD, "a\u2028b")
        found.save(tmp_path / "prior.jsonl")
        again = TripleStore.from_file(tmp_path / "prior.jsonl", SCHEMA)
        assert triples(again) == triples(found)
        assert triples(again)["海边", LEAD, "何雨晴"] == 3
        for example in [*UNIQUE, *SHARED]:
            assert known(again, example) == known(found, example)

    def test_a_lone_surrogate_can_be_saved(self, tmp_path):
        """JSON data may hold one, and what is trained on has to be saved at the end."""
        found = store(("\ud800海边", LEAD, "何雨晴"))
        found.save(tmp_path / "prior.jsonl")
        assert triples(TripleStore.from_file(tmp_path / "prior.jsonl", SCHEMA)) == triples(found)


def test_pickled_before_and_after_use():
    found = TripleStore.from_examples([*UNIQUE, *SHARED], SCHEMA)
    before = pickle.loads(pickle.dumps(found))
    expected = found.candidates(SHARED[0].text)
    after = pickle.loads(pickle.dumps(found))
    assert before.candidates(SHARED[0].text) == after.candidates(SHARED[0].text) == expected != []


def test_the_automaton_is_not_installed(monkeypatch):
    triple_store._ahocorasick.cache_clear()
    monkeypatch.setitem(sys.modules, "ahocorasick", None)
    found = store(("海边", LEAD, "何雨晴"))
    with pytest.raises(ImportError, match=r"pip install 'hf-spo\[prior\]'"):
        found.candidates("海边")
    monkeypatch.undo()
    triple_store._ahocorasick.cache_clear()
    assert found.candidates("何雨晴在海边") == [(Span(4, 6), Span(0, 3), LEAD)]
