"""neo4j-graphrag: `pipeline.add_component(SpoEntityRelationExtractor(model="lite"), "extractor")`."""

import asyncio
import logging
from typing import Any

from ..graph.neo4j_csv import ENTITY
from .component_model import ComponentModel, DType
from .facts import Entity, Fact, SourceText, entities_of, find_facts

try:
    from neo4j_graphrag.components.entity_relation_extractor import EntityRelationExtractor, OnError
    from neo4j_graphrag.components.lexical_graph import LexicalGraphBuilder
    from neo4j_graphrag.components.schema import GraphSchema
    from neo4j_graphrag.components.types import (
        DocumentInfo,
        LexicalGraphConfig,
        Neo4jGraph,
        Neo4jNode,
        Neo4jRelationship,
        TextChunks,
    )
    from pydantic import validate_call
except ImportError:
    raise ImportError("SpoEntityRelationExtractor needs neo4j-graphrag: pip install 'hf-spo[neo4j-graphrag]'") from None

logger = logging.getLogger(__name__)


class SpoEntityRelationExtractor(EntityRelationExtractor):
    """Extract a graph from text chunks, in place of `LLMEntityRelationExtractor`.

    A node has the entity's type as its label and the name as property "name", by which the library's resolvers merge
    the nodes of different chunks. A relationship has score, document, offsets in the chunk's text and qualifiers as
    properties, see [`Fact`].

    Args:
        model, device, dtype: see [`hf_spo.load`].
        batch_size: most chunks in one forward pass; default: that of the pipeline.
        on_error: whether a chunk that fails is an error, or is logged and left without entities.
        create_lexical_graph: whether the graph contains document and chunks.
        options: fields of [`ExtractionOptions`], such as threshold=0.6.

    Raises:
        TypeError: an option is unknown.
        ValueError: an option is out of range.
    """

    def __init__(
        self,
        model: str = "base",
        *,
        device: str | None = None,
        dtype: DType = "auto",
        batch_size: int | None = None,
        on_error: OnError = OnError.RAISE,
        create_lexical_graph: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(on_error=on_error, create_lexical_graph=create_lexical_graph)
        self.batch_size = batch_size
        self._model = ComponentModel(model, device, dtype, options)

    @validate_call  # in a pipeline, chunks come as dictionaries
    async def run(
        self,
        chunks: TextChunks,
        document_info: DocumentInfo | None = None,
        lexical_graph_config: LexicalGraphConfig | None = None,
        schema: GraphSchema | None = None,
        **kwargs: Any,
    ) -> Neo4jGraph:
        """Extract from all chunks, in batches, in a thread.

        Args:
            chunks: texts.
            document_info: document of the chunks.
            lexical_graph_config: labels and types of document and chunks.
            schema: not used, as the model has its own; a `GraphPruning` component removes what does not fit.
            kwargs: not used.
        """
        graph, builder = Neo4jGraph(), None
        if self.create_lexical_graph or lexical_graph_config:
            builder = LexicalGraphBuilder(config=lexical_graph_config or LexicalGraphConfig())
        if self.create_lexical_graph and builder:
            graph = (await builder.run(text_chunks=chunks, document_info=document_info)).graph
        texts = [
            SourceText(chunk.chunk_id, chunk.text, document_info.document_id if document_info else chunk.chunk_id)
            for chunk in chunks.chunks
        ]
        found = await asyncio.to_thread(self._find, texts)
        for chunk, facts in zip(chunks.chunks, found, strict=True):
            part = self.update_ids(_graph(facts), chunk)
            if builder:
                await builder.process_chunk_extracted_entities(part, chunk)
            graph.nodes.extend(part.nodes)
            graph.relationships.extend(part.relationships)
        return graph

    def _find(self, texts: list[SourceText]) -> list[list[Fact]]:
        try:
            return find_facts(self._model, texts, self.batch_size)
        except Exception:
            if self.on_error is OnError.RAISE:
                raise
            if len(texts) == 1:
                logger.exception("chunk %s is left without entities", texts[0].id)
                return [[]]
            return [facts for text in texts for facts in self._find([text])]


def _graph(facts: list[Fact]) -> Neo4jGraph:
    return Neo4jGraph(
        nodes=[_node(entity) for entity in entities_of(facts)],
        relationships=[
            Neo4jRelationship(
                start_node_id=fact.subject.id,
                end_node_id=fact.object.id,
                type=fact.predicate,
                properties=fact.properties,
            )
            for fact in facts
        ],
    )


def _node(entity: Entity) -> Neo4jNode:
    return Neo4jNode(id=entity.id, label=entity.type or ENTITY, properties=dict(entity.properties))
