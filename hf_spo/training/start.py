"""The model that training starts from."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import torch
from transformers import AutoConfig, PreTrainedTokenizerFast

from ..model.configuration_spo import SpoConfig
from ..model.features import Features
from ..model.layers import Convolution, PointerHead
from ..model.modeling_spo import SpoForTripleExtraction
from ..model.schema import Schema
from ..model.words import WordVocabulary, make_segmenter, segment
from .tokenization_dgcnn import character_tokenizer
from .word_vectors import read_word_vectors

logger = logging.getLogger(__name__)


def starting_model(path: str | PathLike[str], schema: Schema, **options: Any) -> SpoForTripleExtraction:
    """Put fresh heads on an encoder, or load a triple-extraction model to continue from, in float32.

    Args:
        path: folder or Hub name of either. A triple-extraction model may have another schema: relations in both schemas
            keep their weights, the others start with fresh ones.
        schema: the relations to extract.
        options: fields of [`SpoConfig`], see [`SpoForTripleExtraction.from_encoder`].
    """
    if not isinstance(AutoConfig.from_pretrained(path, trust_remote_code=False), SpoConfig):
        return SpoForTripleExtraction.from_encoder(path, schema, **options)
    model: SpoForTripleExtraction = SpoForTripleExtraction.from_pretrained(path, dtype=torch.float32, **options)
    _change_schema(model, schema)
    return model


def fresh_model(
    schema: Schema, texts: Sequence[str], words: str | PathLike[str] | None = None, **options: Any
) -> tuple[SpoForTripleExtraction, PreTrainedTokenizerFast]:
    """Build a model on an encoder that starts at random, such as [`DgcnnModel`], and a tokenizer of characters.

    Args:
        schema: the relations to extract.
        texts: texts whose characters, and with a word table words, the model knows: training texts, and others.
        words: a table of word vectors, see [`read_word_vectors`]; the model keeps the vectors of the words in `texts`.
        options: fields of [`SpoConfig`]; `encoder_config` is a dictionary with at least `model_type`.

    Raises:
        ValueError: the encoder reads no words, or the table contains none of the texts' words.
    """
    tokenizer = character_tokenizer(texts)
    encoder_config = AutoConfig.for_model(
        **{**options.pop("encoder_config"), "vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    )
    features, vectors = Features(), None
    if words is not None:
        if not hasattr(encoder_config, "word_vocab_size"):
            raise ValueError(f"words: an encoder of type {encoder_config.model_type} reads no words; leave it out")
        known, table = read_word_vectors(words, _words(texts, encoder_config.segmenter))
        if not known:
            raise ValueError(f"{words} has none of the words that {encoder_config.segmenter} finds in the texts")
        features.words = WordVocabulary(known, encoder_config.segmenter)
        encoder_config.word_vocab_size = len(features.words)
        encoder_config.word_embedding_size = table.shape[1]
        vectors = torch.from_numpy(table)
        logger.info("%d of the texts' words have a vector", len(known))
    attention = options.pop("attn_implementation", None)
    config = SpoConfig(encoder_config=encoder_config, relations=schema.to_list(), **options)
    model: SpoForTripleExtraction = SpoForTripleExtraction._from_config(  # type: ignore[no-untyped-call]  # unannotated there
        config, dtype=torch.float32, attn_implementation=attention
    )
    if vectors is not None:
        with torch.no_grad():
            model.encoder.embeddings.word_embeddings.weight[1:] = vectors
    model.features = features
    return model, tokenizer


def _words(texts: Iterable[str], segmenter: str) -> set[str]:
    cut = make_segmenter(segmenter)
    found = {word for text in texts for word in segment(cut, text, segmenter)}
    return found | {word.lower() for word in found}


@torch.no_grad()
def _change_schema(model: SpoForTripleExtraction, schema: Schema) -> None:
    config, old = model.config, model.object_head
    index = {relation: number for number, relation in enumerate(config.schema)}
    kept = [(number, index[relation]) for number, relation in enumerate(schema) if relation in index]
    logger.info("the model has %d relations and keeps the weights of %d of the %d", len(index), len(kept), len(schema))
    head = PointerHead(old.in_features, len(schema), config.object_power, config.initial_object_probability)
    _carry(kept, 2, head.weight, old.weight)
    _carry(kept, 2, head.bias, old.bias)
    model.object_head = head
    if model.gates is not None:
        gate = model.gates.relation.out
        model.gates.relation.out = torch.nn.Linear(gate.in_features, len(schema))
        _carry(kept, 1, model.gates.relation.out.weight, gate.weight)
        _carry(kept, 1, model.gates.relation.out.bias, gate.bias)
    if model.object_convolution is not None and config.prior:
        read = model.object_convolution
        others = read.in_channels - 2 * len(index)
        convolution = Convolution(others + 2 * len(schema), read.out_channels)
        assert convolution.bias is not None
        assert read.bias is not None
        convolution.bias.copy_(read.bias)
        # The channels that it reads: first those of no relation.
        new_channels, old_channels = convolution.weight.transpose(0, 1), read.weight.transpose(0, 1)
        new_channels[:others] = old_channels[:others]
        _carry(kept, 2, new_channels[others:], old_channels[others:])
        model.object_convolution = convolution
    if schema != config.schema:
        model.features.prior = None  # its triples have relation numbers of the other schema
    config.relations = schema.to_list()
    # Calibration and thresholds were fitted to the scores of the old weights.
    config.decode_by(replace(config.decoding, calibration=None, score_thresholds=()))


def _carry(kept: Sequence[tuple[int, int]], block: int, new: torch.Tensor, old: torch.Tensor) -> None:
    """Copy the weights of relations in both schemas. *Shape:* (block · R, …), a relation's rows together."""
    new_rows, old_rows = (values.unflatten(0, (-1, block)) for values in (new, old))
    for target, source in kept:
        new_rows[target] = old_rows[source]
