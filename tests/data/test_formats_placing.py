from hf_spo import Mention, Span, Triple
from hf_spo.data import ConversionReport
from hf_spo.data.formats.base import Record
from hf_spo.data.formats.losses import Part, encodable, lose_parts
from hf_spo.data.formats.placing import placed

TEXT = "白露说,晚风是白露唱的,白露"


def test_words_are_looked_up_next_to_each_other():
    report = ConversionReport()
    record = Record(
        TEXT,
        (
            Triple(Mention("晚风"), "歌手", Mention("白露", type="人物")),
            Triple(Mention("晚风"), "歌手", Mention("海边")),
            Triple(Mention("晚风", Span(4, 6)), "歌手", Mention("白露", Span(0, 2))),
        ),
        (Mention("白露"), Mention("白露"), Mention("雪国"), Mention("唱", Span(9, 10))),
    )
    assert placed(record, report) == Record(
        TEXT,
        (
            Triple(Mention("晚风", Span(4, 6)), "歌手", Mention("白露", Span(7, 9), "人物")),
            Triple(Mention("晚风", Span(4, 6)), "歌手", Mention("白露", Span(0, 2))),
        ),
        (Mention("白露", Span(0, 2)), Mention("白露", Span(7, 9)), Mention("唱", Span(9, 10))),
    )
    assert report.corrected == {
        "triples placed by looking their words up": 1,
        "entities placed by looking their words up": 2,
    }
    assert report.lost == {
        "triples whose words are not in the text": 1,
        "entities whose words are not in the text": 1,
    }


def test_more_entities_than_places():
    record = Record("雪", (), (Mention("雪"), Mention("雪")))
    assert placed(record, ConversionReport()).entities == (Mention("雪", Span(0, 1)),) * 2


def test_parts_of_what_is_left_out_are_not_counted_twice():
    triple = Triple(
        Mention("雪", Span(0, 1), "物"), "p", Mention("国", type="地"), {"q": Mention("雪", Span(0, 1), "物")}
    )
    record = Record("雪国", (triple,), (Mention("国", Span(1, 2)),))
    report = ConversionReport()
    lose_parts(record, report, Part.OFFSETS, Part.TYPES)
    assert report.lost == {"offsets of mentions": 3, "types of mentions": 3}
    report = ConversionReport()
    lose_parts(record, report, *Part)
    assert report.lost == {
        "offsets of mentions": 1,
        "types of mentions": 2,
        "qualifiers": 1,
        "entities in no triple": 1,
    }


def test_lone_surrogates():
    record = Record("雪\udc00", (Triple(Mention("雪\udc00", Span(0, 2)), "p", Mention("雪")),))
    report = ConversionReport()
    assert encodable(record, report).triples[0].subject == Mention("雪\ufffd", Span(0, 2))
    assert report.lost == {"lone surrogates, written as U+FFFD": 1}
    assert encodable(Record("😀"), report) == Record("😀")
    named = Record("雪", (Triple(Mention("雪"), "\ud800", Mention("雪")),))
    assert encodable(named, report).triples[0].predicate == "\ufffd"
    assert report.lost.total() == 2
