"""Diagnosis of labelled data: problems that would keep a model from learning, found before training."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from ..data.occurrences import OccurrencePolicy
from ..metrics.breakdown import OVERLAPS, overlap_classes
from ..model.decoding_settings import SpanPairing
from ..model.schema import Example, Schema
from ..model.triple_store import StatedTriples, stated_triples
from ..support.unreadable import UnreadableRecord
from .advice import suggest
from .diagnosis import Diagnosis, Figures, Finding, Severity, by_share, counted
from .mentions import MentionChecks
from .relations import RelationChecks
from .rows import RowChecks
from .tokens import TokenChecks

_AT_ONCE = 64
_SHOWN = 5
_WASTED = 0.02
_FEW = 1_000
"""Texts with triples; of fewer, more labels help most."""


def diagnose(
    examples: Iterable[Example],
    tokenizer: Any,
    schema: Schema,
    *,
    max_length: int,
    policy: OccurrencePolicy = OccurrencePolicy.FIRST,
    bad_lines: Sequence[UnreadableRecord] = (),
) -> Diagnosis:
    """Find the problems of labelled texts that keep a model from learning. Problems are returned, not raised.

    Args:
        examples: the labelled texts.
        tokenizer: fast tokenizer of the encoder.
        schema: the relations to train.
        max_length: tokens that the model reads of a text, including special tokens.
        policy: which occurrences of mentions without offsets are labelled.
        bad_lines: lines of the data's file that are no examples.
    """
    rows, mentions, relations = RowChecks(), MentionChecks(), RelationChecks(schema)
    tokens = TokenChecks(tokenizer, schema, max_length, policy)
    overlap = Counter(dict.fromkeys(OVERLAPS, 0))
    stated: dict[str, StatedTriples] = {}
    for group in _groups(examples):
        known = [relations.add(example) for example in group]
        for example, trained, labels in zip(group, known, tokens.add(known), strict=True):
            rows.add(example)
            mentions.add(example, labels)
            overlap.update(overlap_classes(example.triples))
            stated[example.text] = stated.get(example.text, frozenset()) | stated_triples(trained, schema)
    figures = Figures(
        max_length=max_length,
        texts=rows.texts,
        triples=rows.triples,
        aligned=tokens.report.aligned,
        attainable=tokens.attainable(SpanPairing.NEAREST),
        attainable_either=tokens.attainable(SpanPairing.EITHER),
        without_triples=rows.without_triples.count,
        overlap=dict(overlap),
        relations=relations.counts,
        subjects=sum(tokens.subjects) / max(len(tokens.subjects), 1),
        nested=mentions.nested.count,
        ambiguous=mentions.ambiguous.count,
        moved=mentions.moved,
        restated=_restated(stated.values()),
        several_types=rows.several_types,
        tokens=tokens.tokens,
        unknown=tokens.unknown,
        unknown_characters=tokens.unknown_characters,
        lengths=tokens.lengths,
    )
    findings = [
        *_about_lines(bad_lines, rows.texts),
        *relations.findings(),
        *mentions.findings(rows.triples, rows.texts),
        *tokens.findings(),
        *rows.findings(),
        *_about_all(figures),
    ]
    order = list(Severity)
    findings.sort(key=lambda finding: order.index(finding.severity))
    return Diagnosis(figures, tuple(findings), suggest(figures))


def _groups(examples: Iterable[Example]) -> Iterator[list[Example]]:
    stream = iter(examples)
    while group := list(islice(stream, _AT_ONCE)):
        yield group


def _restated(stated: Iterable[StatedTriples]) -> int:
    """Count the triples that occur in more than one text, once for each text."""
    counts = Counter(fact for facts in stated for fact in facts)
    return sum(count for count in counts.values() if count > 1)


def _about_lines(bad_lines: Sequence[UnreadableRecord], texts: int) -> Iterator[Finding]:
    if bad_lines:
        yield Finding(
            Severity.ERROR,
            "unreadable lines",
            f"no labelled text: {len(bad_lines):,} of {counted(len(bad_lines) + texts, 'line')}",
            "correct them: training stops at the first, or with --skip-bad-lines sets them aside",
            len(bad_lines),
            tuple(map(str, bad_lines[:_SHOWN])),
        )


def _about_all(figures: Figures) -> Iterator[Finding]:
    if not figures.triples:
        yield Finding(
            Severity.ERROR,
            "no triples",
            f"not one triple in {counted(figures.texts, 'text')}",
            'label some; a row has "triples", or "spo_list" as in DuIE',
            figures.texts,
        )
        return
    texts = figures.texts - figures.without_triples
    if texts < _FEW:
        yield Finding(
            Severity.NOTE,
            "few texts",
            f"{counted(texts, 'text')} with triples. A rough expectation, by measurements of F1 on unseen texts: 0.27 "
            "with 80 and 0.44 with 240 English sentences of 5 relations, and 0.58 (95 % interval 0.44 to 0.73) with "
            "257 short Chinese ones of 9 relations, going on from base; 0.00 to 0.12 with 80 texts of 10 relations, "
            "going on from a convolutional model as small as lite",
            "start from a pretrained encoder, and hold out dev texts or use hf-spo kfold to measure yours",
            texts,
        )
    lost = 1 - max(figures.attainable, figures.attainable_either)
    if lost > _WASTED:
        yield Finding(
            by_share(round(lost * figures.triples), figures.triples),
            "attainable F1",
            f"a model that learns every label reaches an F1 of only {1 - lost:.3f} on these data",
            "correct the other findings: triples that become no labels, and mentions that share a border",
            round(lost * figures.triples),
        )
