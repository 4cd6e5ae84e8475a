"""Extraction with several models: probabilities averaged within a group, triples combined across groups."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any, cast

import numpy as np

from .alignment import Batch
from .configuration_ensemble import EnsembleConfig
from .decoding import merge
from .decoding_settings import DecodingSettings
from .extraction import PointerBackend, TripleExtractor, check_batch, extract_items, for_relations
from .modeling_ensemble import SpoEnsemble
from .modeling_spo import SpoForTripleExtraction, TorchBackend
from .schema import Triple


class AveragingBackend:
    """Average the probabilities of models with the same tokenizer and windows, as one [`PointerBackend`]."""

    def __init__(self, backends: Sequence[PointerBackend]) -> None:
        self.backends = backends

    def subjects(self, batch: Batch) -> tuple[list[Any], np.ndarray]:
        """Encode a batch with every model. Returns their states, and mean probabilities (B, L, 2)."""
        states, probs = zip(*(backend.subjects(batch) for backend in self.backends), strict=True)
        return list(states), _mean(probs)

    def objects(self, state: list[Any], rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Return mean probabilities (N, L, R, 2). *Shape:* rows (N,), spans (N, 2)."""
        return _mean([backend.objects(own, rows, spans) for backend, own in zip(self.backends, state, strict=True)])

    def for_relations(self, labels: Sequence[int]) -> "AveragingBackend":
        """Return the same models for some relations, see [`for_relations`]."""
        return AveragingBackend([for_relations(backend, labels) for backend in self.backends])


def _mean(arrays: Sequence[np.ndarray]) -> np.ndarray:
    total = arrays[0].copy()
    for array in arrays[1:]:
        total += array
    total /= len(arrays)
    return total


class EnsembleExtractor:
    """Extract with several groups of models and combine their triples; used like a [`TripleExtractor`].

    Args:
        groups: one loop for each group, with the same settings. Postprocessing applies to the combined triples.
        votes_needed: groups that have to find a triple, anywhere in the text.
    """

    def __init__(self, groups: Sequence[TripleExtractor], votes_needed: int) -> None:
        self.votes_needed = votes_needed
        self._given = groups
        self.groups = [group.without_postprocessing() for group in groups]

    @property
    def decoding(self) -> DecodingSettings:
        """Settings of the decoder."""
        return self._given[0].decoding

    def redecoded(self, decoding: DecodingSettings) -> "EnsembleExtractor":
        """Return the same loop with other decoding settings."""
        return EnsembleExtractor([group.redecoded(decoding) for group in self._given], self.votes_needed)

    def with_backend(self, wrap: Callable[[PointerBackend], PointerBackend]) -> "EnsembleExtractor":
        """Return the same loop on other backends, made from the present ones."""
        return EnsembleExtractor([group.with_backend(wrap) for group in self._given], self.votes_needed)

    def __call__(self, texts: Iterable[str], batch_size: int | None = None) -> Iterator[list[Triple]]:
        """Yield the triples of each text; see [`TripleExtractor.pairs`]."""
        return (triples for _, triples in self.pairs(texts, batch_size))

    def pairs(self, texts: Iterable[str], batch_size: int | None = None) -> Iterator[tuple[str, list[Triple]]]:
        """Yield each text with its triples; see [`TripleExtractor.pairs`]."""
        check_batch(texts, batch_size)
        found: Iterator[tuple[str, list[list[Triple]]]] = ((text, []) for text in texts)
        for group in self.groups:
            results = extract_items(group, found, itemgetter(0), batch_size)
            found = ((text, [*before, triples]) for (text, before), triples in results)
        return ((text, self._given[0].postprocess(combine(groups, self.votes_needed))) for text, groups in found)


def combine(found: Sequence[Sequence[Triple]], votes_needed: int) -> list[Triple]:
    """Combine the triples that several groups found in one text.

    Triples of two groups are the same if their strings are, at any position; the positions of the group with the higher
    score are kept. The score is the mean over all groups, with 0 for a group that did not find the triple.
    """
    best: dict[Any, list[list[Triple]]] = {}
    for group in found:
        own: dict[Any, list[Triple]] = {}
        for triple in group:
            own.setdefault(_facts(triple), []).append(triple)
        for key, triples in own.items():
            best.setdefault(key, []).append(triples)
    combined = []
    for votes in best.values():
        if len(votes) >= votes_needed:
            score = sum(max(triple.score or 0.0 for triple in triples) for triples in votes) / len(found)
            surest = max(votes, key=lambda triples: max(triple.score or 0.0 for triple in triples))
            combined += [replace(triple, score=score) for triple in surest]
    return merge(combined)


def _facts(triple: Triple) -> tuple[Any, ...]:
    qualifiers = frozenset((slot, mention.text) for slot, mention in triple.qualifiers.items())
    return (
        triple.subject.text,
        triple.subject.type,
        triple.predicate,
        triple.object.text,
        triple.object.type,
        qualifiers,
    )


def make_extractor(
    model: SpoForTripleExtraction | SpoEnsemble,
    tokenizer: Any,
    **options: Any,
) -> TripleExtractor | EnsembleExtractor:
    """Return the extraction loop on a model or an ensemble.

    Args:
        model: either.
        tokenizer: the model's; that of the first group for an ensemble, whose other groups have their own.
        options: arguments of [`TripleExtractor`]; `decoding` and `window` are by default those of the config.
    """
    config = model.config
    options.setdefault("decoding", config.decoding)
    if options.get("window") is None:
        options["window"] = config.window
    # The model type is compared as well: a model that came with its own code has classes of the same names.
    if not isinstance(model, SpoEnsemble) and config.model_type != EnsembleConfig.model_type:
        return TripleExtractor(
            TorchBackend(model),
            tokenizer,
            config.schema,
            max_length=config.max_length,
            features=model.features,
            **options,
        )
    ensemble = cast(SpoEnsemble, model)
    groups = [
        TripleExtractor(
            AveragingBackend([TorchBackend(member) for member in members]),
            ensemble.tokenizers[index] if index else tokenizer,
            config.schema,
            max_length=min(member.config.max_length for member in members),
            features=ensemble.group_features(index),
            **options,
        )
        for index, members in enumerate(ensemble.groups)
    ]
    return EnsembleExtractor(groups, ensemble.config.votes_needed)
