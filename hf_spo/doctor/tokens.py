"""Checks of tokenisation: alignment of mentions, truncation, unknown tokens and the attainable F1."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..data.labels import AlignmentReport, Labels, label
from ..data.occurrences import OccurrencePolicy
from ..data.reach import in_reach, windows_of
from ..metrics import TripleScorer
from ..model.alignment import Batch, Encoding, Misalignment, encode
from ..model.decoding_settings import DecodingSettings, SpanPairing
from ..model.extraction import TripleExtractor
from ..model.schema import Example, Schema
from ..model.windows import Window
from .diagnosis import Cut, Finding, Lengths, beginning, by_share, counted

WHOLE = 1_000_000
"""A number of tokens above that of any text."""

_LENGTHS = (64, 128, 256, 512)
_QUANTILES = {"50 %": 0.5, "90 %": 0.9, "95 %": 0.95, "99 %": 0.99, "longest": 1.0}
_WIDTHS, _BINS = tuple(2**power for power in range(3, 32)), 12
_SHOWN, _CHARACTERS = 5, 20


class TokenChecks:
    """Collect what tokenisation does to texts and labels, text by text."""

    def __init__(self, tokenizer: Any, schema: Schema, max_length: int, policy: OccurrencePolicy) -> None:
        self.tokenizer = tokenizer
        self.schema = schema
        self.max_length = max_length
        self.policy = policy
        self.report = AlignmentReport()
        self.tokens = self.unknown = 0
        self.subjects: list[int] = []
        self._lengths: list[int] = []
        self._cuts = {length: AlignmentReport() for length in _LENGTHS}
        self._pieces: Counter[str] = Counter()
        self._scorers = {pairing: TripleScorer() for pairing in (SpanPairing.NEAREST, SpanPairing.EITHER)}

    def add(self, examples: Sequence[Example]) -> list[Labels]:
        """Check some texts; return the labels of the whole texts, without a limit of their length."""
        whole = encode(self.tokenizer, [example.text for example in examples], WHOLE)
        for encoding in whole:
            self._lengths.append(len(encoding))
            self.tokens += int(encoding.pointable.sum())
            self.unknown += int(encoding.unknown.sum())
            for start, end in encoding.offsets[encoding.unknown].tolist():
                self._pieces[encoding.text[start:end]] += 1
        for length, report in self._cuts.items():
            long = [pair for pair in zip(examples, whole, strict=True) if len(pair[1]) > length]
            self._label([example for example, _ in long], [encoding for _, encoding in long], length, report)
        labels = self._label(examples, whole, self.max_length, self.report)
        self.subjects += [len(found) for found in labels if found]
        self._score_perfection(examples, whole, labels)
        return self._label(examples, whole, WHOLE, AlignmentReport())

    def _label(
        self, examples: Sequence[Example], encodings: Sequence[Encoding], max_length: int, report: AlignmentReport
    ) -> list[Labels]:
        """Label whole texts, but for the triples that no window of the model's length holds."""
        found = []
        for example, encoding in zip(examples, encodings, strict=True):
            windows = windows_of(encoding, max_length, max_length)
            inside = in_reach(example, windows, self.policy, report) if len(windows) > 1 else example
            found.append(label(inside, encoding, self.schema, self.policy, report))
        return found

    def _score_perfection(
        self, examples: Sequence[Example], encodings: Sequence[Encoding], labels: Sequence[Labels]
    ) -> None:
        filled = [index for index, found in enumerate(labels) if found]
        backend = PerfectBackend([labels[index] for index in filled], len(self.schema))
        for pairing, scorer in self._scorers.items():
            extractor = TripleExtractor(
                backend,
                self.tokenizer,
                self.schema,
                max_length=self.max_length,
                decoding=DecodingSettings(span_pairing=pairing),
            )
            windows = [Window(index, encodings[index]) for index in filled]
            found = (extractor.postprocess(triples) for triples in (extractor.run(windows) if windows else []))
            for example, labelled in zip(examples, labels, strict=True):
                scorer.add(next(found) if labelled else [], example.triples)

    def attainable(self, pairing: SpanPairing) -> float:
        """Return the F1 of a model that gives every label probability 1 and everything else 0."""
        return self._scorers[pairing].score().f1

    @property
    def lengths(self) -> Lengths:
        """Distribution of text lengths, and effects of common limits."""
        lengths = np.array(self._lengths or [0])
        quantiles = {name: int(np.quantile(lengths, q, method="higher")) for name, q in _QUANTILES.items()}
        width = next(width for width in _WIDTHS if lengths.max() <= width * _BINS)
        bins = np.bincount((lengths - 1).clip(0) // width).tolist()
        histogram = tuple(((index + 1) * width, count) for index, count in enumerate(bins))
        cuts = tuple(
            Cut(length, int((lengths > length).sum()), report.causes[Misalignment.OUT_OF_REACH])
            for length, report in self._cuts.items()
        )
        return Lengths(quantiles, histogram, cuts)

    @property
    def unknown_characters(self) -> tuple[tuple[str, int], ...]:
        """The most frequent characters that the tokenizer does not know, with their counts."""
        counts: Counter[str] = Counter()
        for piece, count in self._pieces.items():
            counts.update(dict.fromkeys(piece, count))
        characters = list(counts)
        # A word may become [UNK] although most of its characters are known on their own.
        alone = encode(self.tokenizer, characters, WHOLE)
        unknown = {character for character, encoding in zip(characters, alone, strict=True) if encoding.unknown.any()}
        return tuple(item for item in counts.most_common() if item[0] in unknown)[:_CHARACTERS]

    def findings(self) -> list[Finding]:
        """Return the findings."""
        return [*self._misaligned(), *self._unknown_tokens()]

    def _misaligned(self) -> Iterator[Finding]:
        for cause, (what, advice) in _CAUSES.items():
            count = self.report.causes[cause]
            if count:
                yield Finding(
                    by_share(count, self.report.triples),
                    cause.value,
                    what.format(triples=counted(count, "triple"), max_length=self.max_length),
                    advice or self._farther(),
                    count,
                    tuple(
                        f"{mention!r} in the text beginning {beginning(text)!r}"
                        for mention, text in self.report.examples[cause][:_SHOWN]
                    ),
                )

    def _farther(self) -> str:
        """Return what to do about triples out of reach."""
        lost = self.report.causes[Misalignment.OUT_OF_REACH]
        for cut in self.lengths.cuts:
            if cut.max_length > self.max_length and cut.triples < lost:
                rest = f"all but {cut.triples:,} of" if cut.triples else "all of"
                return f"max_length {cut.max_length} holds {rest} them, if the encoder reads so many tokens"
        return "no common max_length holds more; label mentions of the two that are closer together, if there are any"

    def _unknown_tokens(self) -> Iterator[Finding]:
        if self.unknown:
            share = self.unknown / self.tokens
            shown = " ".join(character for character, _ in self.unknown_characters[:_SHOWN])
            yield Finding(
                by_share(self.unknown, self.tokens),
                "unknown tokens",
                f"unknown to the tokenizer: {counted(self.unknown, 'token')} ({share:.2%})"
                + (f": {shown}" if shown else ""),
                "offsets of their mentions stay right, but the model cannot tell such tokens apart; harmless below 1 %",
                self.unknown,
            )


_CAUSES = {
    Misalignment.OUT_OF_REACH: (
        "subject and object too far apart for a window of {max_length} tokens, so no model finds them: {triples}",
        "",  # by the figures
    ),
    Misalignment.INSIDE_TOKEN: (
        "a mention that begins or ends inside a token: {triples}",
        "check the examples; if the labels are right, use an encoder with smaller tokens, such as characters",
    ),
    Misalignment.UNKNOWN_RUN: (
        "a mention that begins or ends inside an unknown token: {triples}",
        "use an encoder whose tokenizer knows these characters, or add them to the tokenizer",
    ),
    Misalignment.UNREAD_BORDER: (
        "a mention that begins or ends with characters outside all tokens: {triples}",
        "strip white space and control characters from the mentions, and adjust their offsets",
    ),
}


class PerfectBackend:
    """A backend that gives probability 1 to the labels of one batch and 0 to everything else.

    Args:
        labels: of each text of the batch.
        relations: number of relations.
    """

    def __init__(self, labels: Sequence[Labels], relations: int) -> None:
        self.labels = [
            {(subject.start, subject.end): objects for subject, objects in found.items()} for found in labels
        ]
        self.relations = relations

    def subjects(self, batch: Batch) -> tuple[int, np.ndarray]:
        """Return the padded length as the state, and probabilities (B, L, 2)."""
        probs = np.zeros((*batch.input_ids.shape, 2), dtype=np.float32)
        for row, found in enumerate(self.labels):
            for start, end in found:
                probs[row, start, 0] = probs[row, end, 1] = 1
        return probs.shape[1], probs

    def objects(self, state: int, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Return probabilities (N, L, R, 2)."""
        probs = np.zeros((len(rows), state, self.relations, 2), dtype=np.float32)
        for index, (row, span) in enumerate(zip(rows.tolist(), spans.tolist(), strict=True)):
            for value, relation in self.labels[row].get(tuple(span), ()):
                probs[index, value.start, relation, 0] = probs[index, value.end, relation, 1] = 1
        return probs
