"""Records that are hard to keep, for tests of formats."""

from dataclasses import replace
from typing import Any

from hf_spo import Mention, Triple
from hf_spo.data.formats.base import Record
from hf_spo.data.formats.losses import Part
from tests.builders import mention


def _triple(text: str, subject: Any, predicate: str, value: Any, slots: Any = (), score: float | None = None) -> Triple:
    qualifiers = {slot: mention(text, *part) for slot, part in dict(slots).items()}
    return Triple(mention(text, *subject), predicate, mention(text, *value), qualifiers, score)


def _record(text: str, *triples: Any, entities: Any = (), name: str | None = None) -> Record:
    found = tuple(_triple(text, *triple) for triple in triples)
    return Record(text, found, tuple(mention(text, *entity) for entity in entities), name)


FILM = ("远山的灯", "影视作品")
RECORDS = [
    _record(
        "《远山的灯》由林小川执导,周一鸣、何雨晴主演",
        (FILM, "导演", ("林小川", "人物")),
        (FILM, "主演", ("周一鸣", "人物")),
        (FILM, "主演", ("何雨晴", "人物")),
        name="film-1",
    ),
    _record("😀何雨晴👩‍🚀唱了《晚风🎵》。", (("晚风🎵", "歌曲"), "歌手", ("何雨晴", "人物")), name="emoji"),
    _record(
        "读完《鲁迅自传》的人不多",
        (("鲁迅自传", "图书作品"), "作者", ("鲁迅", "人物")),
        entities=[("人", "群体"), ("迅自", "碎片")],
        name="nested",
    ),
    _record(
        "2010年,何雨晴凭《海边》拿下最佳女主角",
        (
            ("何雨晴", "娱乐人物"),
            "获奖",
            ("最佳女主角", "奖项"),
            {"inWork": ("海边", "作品"), "onDate": ("2010年", "Date")},
            0.75,
        ),
        name="slots",
    ),
    _record("今天天气很好", name="nothing"),
    _record(
        'Zoë said: "Anna Lind\tdirected <Blue> Harbour" & left',
        (("Anna Lind", "person"), "directed", ("<Blue> Harbour", "film"), (), 0.5),
        entities=[("Zoë", "person")],
        name="quotes",
    ),
]
"""CJK, emoji, nested and overlapping mentions, entities in no triple, qualifiers, scores, a text without triples."""


def without(record: Record, parts: set[Part]) -> Record:
    """Return a record as it is where a format cannot hold these parts."""

    def bare(one: Mention) -> Mention:
        span = None if Part.OFFSETS in parts else one.span
        return Mention(one.text, span, "" if Part.TYPES in parts else one.type)

    triples = tuple(
        Triple(
            bare(triple.subject),
            triple.predicate,
            bare(triple.object),
            {} if Part.QUALIFIERS in parts else {slot: bare(one) for slot, one in triple.qualifiers.items()},
            None if Part.SCORES in parts else triple.score,
        )
        for triple in record.triples
    )
    entities = () if Part.ENTITIES in parts else tuple(map(bare, record.entities))
    return replace(record, triples=triples, entities=entities, id=None if Part.IDENTIFIERS in parts else record.id)
