"""Sentences on the report's page: selection, and marking of their mentions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..model.schema import Mention, Schema, Span, Triple
from .breakdown import relation_name
from .errors import places
from .report import TextResult


@dataclass(frozen=True, slots=True)
class Line:
    """A triple listed below its sentence. verdict: right, wrong or missed; cause: of the error, empty if right."""

    triple: Triple
    verdict: str
    relation: str
    cause: str = ""
    counterpart: Triple | None = None

    @property
    def kind(self) -> str:
        """Verdict and cause, for the filter of the page; empty if right."""
        return f"{self.verdict}: {self.cause}" if self.cause else ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text without a mention's border inside.

    Args:
        text: the part.
        roles: subject and object, as far as mentions cover the part.
        verdict: the best of these mentions.
        lines: numbers of their triples.
    """

    text: str
    roles: tuple[str, ...]
    verdict: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text in pieces with its triples."""

    number: int
    pieces: tuple[Piece, ...]
    lines: tuple[Line, ...]


def sentences(results: Sequence[TextResult], schema: Schema | None, limit: int) -> list[Sentence]:
    """Select up to `limit` sentences that show each cause in each relation, and mark their mentions."""
    lines = [tuple(_lines(result, schema)) for result in results]
    return [
        Sentence(index + 1, tuple(_pieces(results[index].text, lines[index])), lines[index])
        for index in sorted(_chosen(lines, limit))
    ]


def _lines(result: TextResult, schema: Schema | None) -> Iterator[Line]:
    for triple, gold in result.judgement.right:
        yield Line(triple, "right", relation_name(gold, schema))
    for verdict, errors in (("wrong", result.wrong), ("missed", result.missed)):
        for error in errors:
            relation = relation_name(error.triple, schema)
            yield Line(error.triple, verdict, relation, error.cause.value, error.counterpart)


def _chosen(lines: Sequence[Sequence[Line]], limit: int) -> list[int]:
    """Return indices of sentences: first examples of a kind of error, then second ones, and so on; then the others."""
    seen: Counter[tuple[str, str]] = Counter()
    rank = []
    for group in lines:
        kinds = {(line.kind, line.relation) for line in group if line.kind}
        rank.append(min((seen[kind] for kind in kinds), default=len(lines)))
        seen.update(kinds)
    return sorted(range(len(lines)), key=rank.__getitem__)[:limit]


def _pieces(text: str, lines: Sequence[Line]) -> Iterator[Piece]:
    marks = [mark for number, line in enumerate(lines) for mark in _marks(text, number, line)]
    cuts = sorted({0, len(text), *(at for span, *_ in marks for at in (span.start, span.end) if at < len(text))})
    for start, end in pairwise(cuts):
        here = [mark for mark in marks if mark[0].start <= start and end <= mark[0].end]
        yield Piece(
            text[start:end],
            tuple(role for role in ("subject", "object") if any(mark[1] == role for mark in here)),
            next((verdict for verdict in _BEST if any(lines[mark[2]].verdict == verdict for mark in here)), ""),
            tuple(sorted({mark[2] for mark in here})),
        )


_BEST = ("right", "missed", "wrong")


def _marks(text: str, number: int, line: Line) -> Iterator[tuple[Span, str, int]]:
    mentions: Iterable[tuple[str, Mention]] = [
        ("subject", line.triple.subject),
        *(("object", mention) for _, mention in line.triple.slots()),
    ]
    for role, mention in mentions:
        for span in places(text, mention)[:1]:
            yield span, role, number
