"""The model that training starts from."""

import logging
from os import PathLike
from typing import Any

import torch
from transformers import AutoConfig

from ..configuration_spo import SpoConfig
from ..layers import PointerHead
from ..modeling_spo import SpoForTripleExtraction
from ..schema import Schema

logger = logging.getLogger(__name__)


def starting_model(path: str | PathLike[str], schema: Schema, **options: Any) -> SpoForTripleExtraction:
    """Put fresh heads on an encoder, or take a triple-extraction model to go on from, in float32.

    Args:
        path: folder or Hub name of either. A triple-extraction model may have another schema: it keeps what it knows of
            the relations that both have, and starts the others afresh.
        schema: the relations to extract.
        options: fields of [`SpoConfig`], see [`SpoForTripleExtraction.from_encoder`].
    """
    if not isinstance(AutoConfig.from_pretrained(path), SpoConfig):
        return SpoForTripleExtraction.from_encoder(path, schema, **options)
    model = SpoForTripleExtraction.from_pretrained(path, dtype=torch.float32, **options)
    _change_schema(model, schema)
    return model


@torch.no_grad()
def _change_schema(model: SpoForTripleExtraction, schema: Schema) -> None:
    config, old = model.config, model.object_head
    index = {relation: number for number, relation in enumerate(config.schema)}
    kept = [(number, index[relation]) for number, relation in enumerate(schema) if relation in index]
    logger.info("going on from a model of %d relations: it knows %d of %d", len(index), len(kept), len(schema))
    head = PointerHead(old.in_features, len(schema), config.object_power, config.initial_object_probability)
    for new_values, old_values in ((head.weight, old.weight), (head.bias, old.bias)):
        # (2·R, …), start and end of a relation side by side
        new_rows, old_rows = (values.view(-1, 2, *values.shape[1:]) for values in (new_values, old_values))
        for target, source in kept:
            new_rows[target] = old_rows[source]
    model.object_head = head
    config.relations = schema.to_list()
