"""LlamaIndex: `PropertyGraphIndex(nodes, kg_extractors=[SpoPathExtractor(model="lite")], embed_kg_nodes=False)`."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from .component_model import ComponentModel, DType
from .facts import Entity, Fact, SourceText, entities_of, find_facts

try:
    from llama_index.core.bridge.pydantic import PrivateAttr
    from llama_index.core.graph_stores.types import KG_NODES_KEY, KG_RELATIONS_KEY, EntityNode, Relation
    from llama_index.core.schema import BaseNode, MetadataMode, TransformComponent
except ImportError:
    raise ImportError("SpoPathExtractor needs LlamaIndex: pip install 'hf-spo[llama-index]'") from None


class SpoPathExtractor(TransformComponent):
    """Write the entities and relations of each node's text into its metadata, as LlamaIndex's own extractors do.

    An entity has the type as its label; a relation has score, document, offsets in the node's text and qualifiers as
    properties, see [`Fact`]. Both get the metadata of the node. LlamaIndex identifies entities by their names alone: of
    a novel and a film of the same name it makes one entity, and only the relations tell the types.

    Args:
        model, device, dtype: see [`hf_spo.load`].
        batch_size: most texts in one forward pass; default: that of the pipeline.
        options, more_options: fields of [`ExtractionOptions`], such as threshold=0.6.

    Raises:
        TypeError: an option is unknown.
        ValueError: an option is out of range.
    """

    model: str
    device: str | None
    dtype: DType
    batch_size: int | None
    options: dict[str, Any]

    _component: ComponentModel = PrivateAttr()

    def __init__(
        self,
        model: str = "base",
        *,
        device: str | None = None,
        dtype: DType = "auto",
        batch_size: int | None = None,
        options: Mapping[str, Any] | None = None,  # as serialised
        **more_options: Any,
    ) -> None:
        given = {**(options or {}), **more_options}
        super().__init__(model=model, device=device, dtype=dtype, batch_size=batch_size, options=given)
        self._component = ComponentModel(model, device, dtype, given)

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises."""
        return "SpoPathExtractor"

    def __call__(self, nodes: Sequence[BaseNode], show_progress: bool = False, **kwargs: Any) -> Sequence[BaseNode]:
        """Extract from all nodes; progress is not shown, as a batch is a single step."""
        # The text without metadata: offsets must be those of the chunk.
        texts = [
            SourceText(node.node_id, node.get_content(MetadataMode.NONE), node.ref_doc_id or node.node_id)
            for node in nodes
        ]
        for node, facts in zip(nodes, find_facts(self._component, texts, self.batch_size), strict=True):
            found = [*node.metadata.pop(KG_NODES_KEY, [])], [*node.metadata.pop(KG_RELATIONS_KEY, [])]
            metadata = node.metadata.copy()
            node.metadata[KG_NODES_KEY] = found[0] + [_entity(entity, metadata) for entity in entities_of(facts)]
            node.metadata[KG_RELATIONS_KEY] = found[1] + [_relation(fact, metadata) for fact in facts]
        return nodes

    async def acall(self, nodes: Sequence[BaseNode], show_progress: bool = False, **kwargs: Any) -> Sequence[BaseNode]:
        """Extract in a thread."""
        return await asyncio.to_thread(self, nodes, show_progress, **kwargs)


def _entity(entity: Entity, metadata: dict[str, Any]) -> EntityNode:
    label = {"label": entity.type} if entity.type else {}
    return EntityNode(name=entity.name, **label, properties={**metadata, **entity.properties})


def _relation(fact: Fact, metadata: dict[str, Any]) -> Relation:
    ends = {"source_id": _entity(fact.subject, {}).id, "target_id": _entity(fact.object, {}).id}
    return Relation(label=fact.predicate, **ends, properties={**metadata, **fact.properties})
