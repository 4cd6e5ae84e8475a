"""Schema: the plain data, and what a schema file may look like."""

import json
from dataclasses import replace

import pytest
from datasets import Dataset

from hf_spo.model.decoding_settings import Thresholds
from hf_spo.model.fields import FieldError
from hf_spo.model.relation_rules import RelationRules
from hf_spo.model.schema import VALUE_SLOT, Example, Mention, Relation, Schema, Span, Triple

pytestmark = pytest.mark.smoke

FOUNDED_BODY = Relation("机构", "成立日期", "Date")
FOUNDED_FIRM = Relation("企业", "成立日期", "Date")
BOX_OFFICE = Relation("影视作品", "票房", "Number")
BOX_OFFICE_AREA = Relation("影视作品", "票房", "地点", "inArea")


class TestSpan:
    def test_length_and_order(self):
        assert len(Span(2, 5)) == 3
        assert Span(1, 9) < Span(2, 3) < Span(2, 4)

    @pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2)])
    def test_impossible_range_is_refused(self, start, end):
        with pytest.raises(ValueError, match=rf"Span\({start}, {end}\): expected 0 <= start <= end"):
            Span(start, end)

    @pytest.mark.parametrize(
        ("other", "distance"), [(Span(7, 9), 2), (Span(5, 6), 0), (Span(3, 9), 0), (Span(0, 1), 1)]
    )
    def test_distance_counts_the_characters_between(self, other, distance):
        assert Span(2, 5).distance(other) == other.distance(Span(2, 5)) == distance


class TestJson:
    triple = Triple(
        Mention("雪国", Span(1, 3), "影视作品"),
        "票房",
        Mention("三千万", Span(9, 12), "Number"),
        {"inArea": Mention("北京", Span(5, 7), "地点")},
        0.5,
    )

    def test_form_that_the_pipeline_prints(self):
        assert self.triple.to_dict() == {
            "score": 0.5,
            "subject": {"text": "雪国", "start": 1, "end": 3, "type": "影视作品"},
            "predicate": "票房",
            "object": {"text": "三千万", "start": 9, "end": 12, "type": "Number"},
            "qualifiers": {"inArea": {"text": "北京", "start": 5, "end": 7, "type": "地点"}},
        }

    def test_round_trip(self):
        item = Example("《雪国》在北京票房三千万", (self.triple,))
        assert Example.from_dict(json.loads(json.dumps(item.to_dict()))) == item

    def test_triple_without_score_qualifiers_and_offsets(self):
        triple = Triple(Mention("雪国"), "票房", Mention("三千万"))
        data = triple.to_dict()
        assert data["subject"] == {"text": "雪国", "type": ""}
        assert "score" not in data
        assert Triple.from_dict(data) == triple
        assert (
            Triple.from_dict({"subject": {"text": "雪国"}, "predicate": "票房", "object": {"text": "三千万"}}) == triple
        )

    @pytest.mark.parametrize("data", [{"text": "雪国", "start": 1}, {"text": "雪国", "end": 3}])
    def test_half_an_offset_is_refused(self, data):
        with pytest.raises(ValueError, match=r"^(start|end): expected a whole number, got nothing"):
            Mention.from_dict(data)

    def test_offsets_that_fit_the_text(self):
        subject = Mention("《雪国》", Span(0, 4))
        Triple(subject, "p", Mention("雪", Span(1, 2)), {"inWork": Mention("国")}).check_offsets("《雪国》")

    @pytest.mark.parametrize("span", [Span(1, 3), Span(2, 9)])
    def test_offsets_of_another_text(self, span):
        triple = Triple(Mention("雪"), "p", Mention("票房"), {"inWork": Mention("国》", span)})
        with pytest.raises(ValueError, match=rf"triples\[2\]\.qualifiers\.inWork: text\[{span.start}:{span.end}\]"):
            triple.check_offsets("《雪国》", "triples[2]")

    def test_slots_begin_with_the_object(self):
        assert [slot for slot, _ in self.triple.slots()] == [VALUE_SLOT, "inArea"]


class TestThresholds:
    def test_default_is_one_half(self):
        assert Thresholds() == Thresholds(0.5, 0.5, 0.5, 0.5)

    @pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
    def test_no_probability_is_refused_by_name(self, value):
        with pytest.raises(ValueError, match=r"threshold object_end=.* expected a probability from 0 to 1"):
            Thresholds(object_end=value)


class TestSchema:
    def test_is_an_ordered_set_of_labels(self):
        schema = Schema([BOX_OFFICE, BOX_OFFICE_AREA])
        assert len(schema) == 2
        assert list(schema) == [schema[0], schema[1]] == [BOX_OFFICE, BOX_OFFICE_AREA]
        assert schema == Schema([BOX_OFFICE, BOX_OFFICE_AREA])
        assert schema != Schema([BOX_OFFICE])
        assert hash(schema) == hash(Schema([BOX_OFFICE, BOX_OFFICE_AREA]))
        assert repr(schema) == "Schema(2 relations, 1 predicates)"

    def test_empty_one_is_refused(self):
        with pytest.raises(ValueError, match="at least one relation; pass a schema file, or data to infer it from"):
            Schema([])

    def test_same_relation_twice_is_refused(self):
        with pytest.raises(ValueError, match=r"票房.* twice; keep one of them"):
            Schema([BOX_OFFICE, FOUNDED_BODY, BOX_OFFICE])

    def test_qualifier_needs_a_value_to_belong_to(self):
        with pytest.raises(ValueError, match="'inArea' has no '@value' relation"):
            Schema([BOX_OFFICE_AREA])
        with pytest.raises(ValueError, match="'inArea' has no '@value' relation"):
            Schema([BOX_OFFICE_AREA, Relation("歌曲", "票房", "Number")])

    def test_survives_its_json_form(self):
        schema = Schema([BOX_OFFICE, BOX_OFFICE_AREA, FOUNDED_BODY, FOUNDED_FIRM])
        assert Schema.from_list(json.loads(json.dumps(schema.to_list()))) == schema


class TestRules:
    wife = Relation("人物", "妻子", "人物", rules=RelationRules(inverse="丈夫"))
    husband = Relation("人物", "丈夫", "人物")
    sold = Relation("影视作品", "票房", "Number", rules=RelationRules(max_objects=1))

    def test_a_relation_is_its_four_names(self):
        assert self.sold == BOX_OFFICE
        assert hash(self.sold) == hash(BOX_OFFICE)
        assert sorted([self.sold, FOUNDED_BODY]) == sorted([FOUNDED_BODY, BOX_OFFICE])
        assert repr(self.sold) == repr(BOX_OFFICE)
        assert Schema([self.sold]).find("票房", "影视作品", "Number") == 0

    def test_a_schema_knows_whether_it_has_any(self):
        assert Schema([self.sold, FOUNDED_BODY]).has_rules
        assert not Schema([BOX_OFFICE, FOUNDED_BODY]).has_rules

    def test_survive_the_json_form_which_has_none_where_there_are_none(self):
        area = Relation("影视作品", "票房", "地点", "inArea", RelationRules(strip=("《》",)))
        data = json.loads(json.dumps(Schema([self.wife, self.husband, self.sold, area]).to_list()))
        assert ["rules" in entry for entry in data] == [True, False, True, True]
        expected = [self.wife.rules, RelationRules(), self.sold.rules, area.rules]
        assert [one.rules for one in Schema.from_list(data)] == expected

    def test_of_an_entry_with_slots_are_the_value_s_and_those_named_the_slots(self):
        entry = {
            "subject_type": "影视作品",
            "predicate": "票房",
            "object_type": {"inArea": "地点", "@value": "Number"},
            "rules": {"object_format": "number", "slots": {"inArea": {"strip": ["《》"]}}},
        }
        value, area = Schema.from_list([entry])
        assert value.rules == RelationRules(object_format="number")
        assert area.rules == RelationRules(strip=("《》",))
        entry["rules"] = {"slots": {"inArea": {"strip": ["《》"]}}}
        assert [one.rules.strip for one in Schema.from_list([entry])] == [(), ("《》",)]

    @pytest.mark.parametrize(
        ("rules", "message"),
        [
            ({"max_object": 1}, "rules: unknown key 'max_object'; did you mean 'max_objects'"),
            ({"slots": {"inWork": {}}}, "rules: slot 'inWork': the entry has @value, inArea"),
            ({"slots": {"inArea": {"stripes": []}}}, "rules: unknown key 'stripes'; did you mean 'strip'"),
            ({"slots": ["inArea"]}, r"rules: .* expected an object, such as \{\"max_objects\": 1"),
            (None, "rules: None: expected an object"),
            ([], r"rules: \[\]: expected an object"),
            ({"object_pattern": "("}, r"rules: object_pattern='\(' is not a regular expression"),
        ],
    )
    def test_what_is_wrong_in_a_file_is_named(self, tmp_path, rules, message):
        path = tmp_path / "schema.json"
        slots = {"@value": "Number", "inArea": "地点"}
        entry = {"subject_type": "影视作品", "predicate": "票房", "object_type": slots, "rules": rules}
        path.write_text(json.dumps(entry), encoding="utf-8")
        with pytest.raises(ValueError, match=rf"schema\.json:1: {message}"):
            Schema.from_file(path)

    def test_an_inverse_needs_a_relation_with_the_types_exchanged(self):
        assert len(Schema([self.wife, self.husband])) == 2
        for others in ([], [Relation("人物", "丈夫", "地点")]):
            with pytest.raises(ValueError, match=r"妻子.*inverse='丈夫': .* is not in the schema; add it, or remove"):
                Schema([self.wife, *others])

    def test_symmetric_ones_have_one_type(self):
        assert Schema([Relation("人物", "搭档", "人物", rules=RelationRules(symmetric=True))]).has_rules
        with pytest.raises(ValueError, match=r"票房.*symmetric=True: the subject type 影视作品 is not the object type"):
            Schema([Relation("影视作品", "票房", "Number", rules=RelationRules(symmetric=True))])

    @pytest.mark.parametrize("rules", [{"max_objects": 1}, {"symmetric": True}, {"subject_pattern": "a"}])
    def test_a_slot_takes_only_what_is_said_of_its_mention(self, rules):
        area = Relation("影视作品", "票房", "地点", "inArea", RelationRules(**rules))
        with pytest.raises(ValueError, match=r"inArea.*a slot takes object_pattern, object_format and strip"):
            Schema([BOX_OFFICE, area])

    def test_of_another_schema_are_taken_over_in_this_one_s_order(self):
        ours = Schema([FOUNDED_BODY, BOX_OFFICE])
        ruled = ours.with_rules_of(Schema([self.sold, FOUNDED_BODY]))
        assert list(ruled) == list(ours)
        assert [one.rules for one in ruled] == [RelationRules(), self.sold.rules]
        assert not ruled.with_rules_of(ours).has_rules

    def test_of_other_relations_are_refused(self):
        ours = Schema([FOUNDED_BODY, BOX_OFFICE])
        with pytest.raises(ValueError, match=r"same 2 relations.* lacks 1: .*机构.*also has 1: .*丈夫"):
            ours.with_rules_of(Schema([self.sold, self.husband]))
        with pytest.raises(ValueError, match=r"lacks 1: .*机构.*, …$"):
            ours.with_rules_of(Schema([self.sold]))


class TestFind:
    schema = Schema([FOUNDED_BODY, FOUNDED_FIRM, BOX_OFFICE, BOX_OFFICE_AREA])

    def test_by_predicate_alone_where_it_is_the_only_one(self):
        assert self.schema.find("票房") == 2

    def test_by_slot(self):
        assert self.schema.find("票房", slot="inArea") == 3

    def test_shared_predicate_by_subject_type(self):
        assert self.schema.find("成立日期", "机构") == 0
        assert self.schema.find("成立日期", "企业", "Date") == 1

    def test_shared_predicate_without_types_is_ambiguous(self):
        with pytest.raises(KeyError, match="fits 2 relations of the schema; give the subject and object type"):
            self.schema.find("成立日期")

    def test_wrong_type_shows_what_there_is(self):
        with pytest.raises(KeyError, match=r"not in the schema, which has .*机构"):
            self.schema.find("成立日期", "学校")

    def test_typing_error_gets_a_suggestion(self):
        with pytest.raises(KeyError, match="did you mean 成立日期"):
            self.schema.find("成立时期")

    def test_unknown_predicate(self):
        with pytest.raises(KeyError, match=r"not in the schema of 4 relations'$"):
            self.schema.find("xyz")


class TestFile:
    def write(self, tmp_path, text, encoding="utf-8"):
        path = tmp_path / "schema.json"
        path.write_bytes(text.encode(encoding))
        return path

    def test_duie_1_has_a_string_for_the_object_and_predicates_twice(self, tmp_path):
        path = self.write(
            tmp_path,
            '{"object_type": "Date", "predicate": "成立日期", "subject_type": "机构"}\n'
            '{"object_type": "Date", "predicate": "成立日期", "subject_type": "企业"}\n',
        )
        assert Schema.from_file(path) == Schema([FOUNDED_BODY, FOUNDED_FIRM])

    def test_duie_2_has_slots_of_which_the_value_comes_first(self, tmp_path):
        path = self.write(
            tmp_path,
            '{"object_type": {"inArea": "地点", "@value": "Number"}, "predicate": "票房", "subject_type": "影视作品"}\n'
            "\n"
            '{"object_type": {"@value": "Date"}, "predicate": "成立日期", "subject_type": "机构"}',
        )
        assert Schema.from_file(path) == Schema([BOX_OFFICE, BOX_OFFICE_AREA, FOUNDED_BODY])

    def test_json_list_of_relations(self, tmp_path):
        schema = Schema([BOX_OFFICE, BOX_OFFICE_AREA])
        path = self.write(tmp_path, json.dumps(schema.to_list(), indent=1))
        assert Schema.from_file(str(path)) == schema

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_byte_order_mark_crlf_and_odd_line_ends_in_names(self, tmp_path, encoding):
        path = self.write(
            tmp_path, '{"object_type":"b\u2028\x85","predicate":"p","subject_type":"a"}\r\n\r\n', encoding
        )
        assert Schema.from_file(path) == Schema([Relation("a", "p", "b\u2028\x85")])

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("{object}", "not JSON"),
            ('"票房"', "of type str"),
            ("[1]", "of type list"),
            ('{"predicate": "票房", "object_type": "Number"}', 'no "subject_type"'),
            ('{"subject_type": "a", "object_type": "Number"}', 'no "predicate"'),
            ('{"subject_type": "a", "predicate": "票房"}', 'no "object_type"'),
            ('{"subject_type": "a", "predicate": "票房", "object_type": 5}', "not a string"),
            ('{"subject_type": "a", "predicate": "票房", "object_type": {}}', "not a string"),
            ('{"subject_type": "a", "predicate": "票房", "object_type": {"@value": null}}', "not a string"),
            ('{"subject_type": null, "predicate": "票房", "object_type": "b"}', "not a string"),
        ],
    )
    def test_bad_line_is_named_with_what_was_expected(self, tmp_path, line, message):
        good = '{"subject_type": "a", "predicate": "p", "object_type": "b"}\n'
        with pytest.raises(ValueError, match=rf'schema\.json:2: .*{message}.*expected.*"subject_type"'):
            Schema.from_file(self.write(tmp_path, good + line))

    @pytest.mark.parametrize("text", ["[", '[{"predicate": "p"}]', "[5]"])
    def test_bad_list_is_named(self, tmp_path, text):
        with pytest.raises(ValueError, match=r"schema\.json: .*expected"):
            Schema.from_file(self.write(tmp_path, text))

    def test_relation_twice_is_an_error_of_the_file(self, tmp_path):
        line = '{"subject_type": "a", "predicate": "p", "object_type": "b"}\n'
        with pytest.raises(ValueError, match=r"schema\.json: .*twice"):
            Schema.from_file(self.write(tmp_path, 2 * line))

    def test_empty_file(self, tmp_path):
        with pytest.raises(ValueError, match=r"schema\.json: a schema needs at least one relation"):
            Schema.from_file(self.write(tmp_path, "\n"))

    def test_other_encoding(self, tmp_path):
        with pytest.raises(ValueError, match=r"schema\.json: not UTF-8"):
            Schema.from_file(self.write(tmp_path, '{"predicate": "票房"}', "gb18030"))

    def test_missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            Schema.from_file(tmp_path / "none.json")


class TestInfer:
    def test_relations_and_slots_of_the_data_in_an_order_of_their_own(self):
        one = Example("", (TestJson.triple,))
        two = Example("", (Triple(Mention("a", None, "机构"), "成立日期", Mention("b", None, "Date")),))
        assert Schema.infer([one, two, one]) == Schema.infer([two, one])
        assert Schema.infer([one, two]) == Schema([FOUNDED_BODY, BOX_OFFICE, BOX_OFFICE_AREA])

    ROWS = (
        {
            "text": "",
            "triples": [{"subject": {"text": "a", "type": "机构"}, "predicate": "成立日期", "object": {"text": "b"}}],
        },
        {
            "text": "",
            "spo_list": [
                {
                    "predicate": "票房", "subject": "a", "subject_type": "影视作品",
                    "object": {"@value": "1", "inArea": "b", "onDate": ""},
                    "object_type": {"@value": "Number", "inArea": "地点", "onDate": "Date"},
                },
                {
                    "predicate": "导演", "subject": "a", "subject_type": "影视作品",
                    "object": {"@value": "b"}, "object_type": {"@value": "人物"},
                },
            ],
        },
    )  # fmt: skip
    RELATIONS = (
        Relation("影视作品", "导演", "人物"),
        Relation("机构", "成立日期", ""),
        Relation("", "朋友", ""),
        Relation("影视作品", "票房", "Number"),
        Relation("影视作品", "票房", "地点", "inArea"),
    )

    def test_rows_of_files_and_data_sets(self):
        plain = {"spo_list": [{"predicate": "朋友", "subject": "a", "object": "b", "object_type": None}]}
        assert Schema.infer([*self.ROWS, plain]) == Schema(self.RELATIONS)
        for row, count in zip(self.ROWS, (1, 3), strict=True):
            assert len(Schema.infer(Dataset.from_list([row] * 2))) == count

    @pytest.mark.parametrize("row", ["train", {"text": "白露", "labels": []}, {"spo_list": None}])
    def test_rows_without_labels(self, row):
        with pytest.raises(ValueError, match='expected labelled texts, each with "triples" or "spo_list", got'):
            Schema.infer([row])

    def test_nothing_to_infer_from(self):
        with pytest.raises(ValueError, match="at least one relation"):
            Schema.infer([Example("白露")])


class TestOf:
    @pytest.mark.parametrize(
        "form",
        [
            list,
            Schema.to_list,
            lambda schema: [(r.subject_type, r.predicate, r.object_type, r.slot) for r in schema],
            lambda schema: [[r.subject_type, r.predicate, r.object_type, r.slot] for r in schema],
        ],
    )
    def test_relations_in_any_form(self, form):
        schema = Schema([BOX_OFFICE, BOX_OFFICE_AREA, replace(FOUNDED_BODY, rules=RelationRules(max_objects=1))])
        assert Schema.of(schema) is schema
        assert Schema(form(schema)) == Schema.of(form(schema)) == schema
        if form in (list, Schema.to_list):
            assert Schema.of(form(schema))[2].rules.max_objects == 1

    def test_names_and_tuples_of_three(self):
        assert list(Schema.of(["导演", ("机构", "成立日期", "Date")])) == [Relation("", "导演", ""), FOUNDED_BODY]

    @pytest.mark.parametrize("wrong", ["schema.json", {"subject_type": "a"}])
    def test_no_list(self, wrong):
        for make in (Schema, Schema.of):
            with pytest.raises(TypeError, match=r"list of relations, got (str|dict); read a file by Schema\.from_file"):
                make(wrong)

    @pytest.mark.parametrize("wrong", [("导演", "人物"), 3, None, {"predicate": "导演"}])
    def test_no_relation(self, wrong):
        for make in (Schema, Schema.of):
            with pytest.raises(ValueError, match=r"expected .*subject_type"):
                make([wrong])


def test_a_schema_is_asked_by_predicate():
    schema = Schema([BOX_OFFICE, BOX_OFFICE_AREA, FOUNDED_BODY, FOUNDED_FIRM])
    assert schema.predicates == ("票房", "成立日期")
    assert "票房" in schema
    assert BOX_OFFICE in schema
    assert "主演" not in schema
    assert Relation("", "票房", "") not in schema
    assert schema["票房"] is schema[0]
    assert schema[:1] == (BOX_OFFICE,)
    with pytest.raises(KeyError, match="fits 2 relations of the schema"):
        schema["成立日期"]


class TestTriplesAsValues:
    """Triples in sets, sorted, and of strings or tuples."""

    def test_in_a_set(self):
        triple = Triple(Mention("雪国"), "票房", Mention("三千万"), {"inArea": Mention("北京")})
        same, other = replace(triple, qualifiers=dict(triple.qualifiers)), replace(triple, qualifiers={})
        assert {triple, same} == {triple}
        assert len({triple, other}) == 2

    def test_sorted_by_position(self):
        def at(start):
            return Triple(Mention("a", Span(start, start + 1)), "p", Mention("b", Span(9, 10)))

        nowhere = Triple(Mention("z"), "p", Mention("a"), {"slot": Mention("c")})
        assert sorted([at(3), at(0), nowhere, at(2), nowhere]) == [nowhere, nowhere, at(0), at(2), at(3)]

    @pytest.mark.parametrize("form", [tuple, list])
    def test_of_strings(self, form):
        texts = ("雪国", "主演", "周一鸣")
        triple = Triple(Mention("雪国"), "主演", Mention("周一鸣"))
        assert Triple(*texts) == Triple.of(form(texts)) == Triple.of(triple.to_dict()) == Triple.of(triple) == triple

    @pytest.mark.parametrize("wrong", [("雪国", "主演"), ("雪国", "主演", 3), "雪国", None])
    def test_of_what_is_no_triple(self, wrong):
        with pytest.raises(FieldError, match=r'triple: expected an object with "subject" and "object", got'):
            Triple.of(wrong)
