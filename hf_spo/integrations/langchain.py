"""LangChain: `SpoGraphTransformer(model="lite").convert_to_graph_documents(documents)`, and the same as a Runnable."""

from collections.abc import Sequence
from hashlib import md5
from typing import Any

from .component_model import ComponentModel, DType
from .facts import Entity, Fact, SourceText, entities_of, find_facts

try:
    from langchain_core.documents import Document
    from langchain_core.runnables import Runnable, RunnableConfig
    from langchain_core.runnables.config import run_in_executor
    from langchain_neo4j.graphs.graph_document import GraphDocument, Node, Relationship
except ImportError:
    raise ImportError("SpoGraphTransformer needs LangChain: pip install 'hf-spo[langchain]'") from None


class SpoGraphTransformer(Runnable[Document, GraphDocument]):
    """Turn documents into graph documents, as `LLMGraphTransformer` does, without a language model.

    A node's id is its name, its type the type of the entity. A relationship has score, document, offsets in
    `page_content` and qualifiers as properties, see [`Fact`]. As a Runnable it takes a document, and `batch` a list of
    them, which go through the model together.

    Args:
        model, device, dtype: see [`hf_spo.load`].
        batch_size: most texts in one forward pass; default: that of the pipeline.
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
        **options: Any,
    ) -> None:
        self.batch_size = batch_size
        self._model = ComponentModel(model, device, dtype, options)

    def convert_to_graph_documents(
        self, documents: Sequence[Document], config: RunnableConfig | None = None
    ) -> list[GraphDocument]:
        """Convert documents, in batches."""
        return self.batch(list(documents), config)

    async def aconvert_to_graph_documents(
        self, documents: Sequence[Document], config: RunnableConfig | None = None
    ) -> list[GraphDocument]:
        """Convert documents in a thread, in batches."""
        graphs: list[GraphDocument] = await self.abatch(list(documents), config)
        return graphs

    def process_response(self, document: Document, config: RunnableConfig | None = None) -> GraphDocument:
        """Convert a document."""
        return self.invoke(document, config)

    def invoke(self, input: Document, config: RunnableConfig | None = None, **kwargs: Any) -> GraphDocument:  # noqa: A002  # the name there
        """Convert a document."""
        return self._call_with_config(lambda document: self._convert([document])[0], input, config, **kwargs)

    def batch(
        self,
        inputs: list[Document],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[GraphDocument]:
        """Convert documents, in batches."""
        graphs: list[GraphDocument] = self._batch_with_config(
            self._convert, inputs, config, return_exceptions=return_exceptions, **kwargs
        )
        return graphs

    async def abatch(
        self,
        inputs: list[Document],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[GraphDocument]:
        """Convert documents in a thread, in batches."""
        graphs: list[GraphDocument] = await run_in_executor(
            None, self.batch, inputs, config, return_exceptions=return_exceptions, **kwargs
        )
        return graphs

    def _convert(self, documents: list[Document]) -> list[GraphDocument]:
        ids = [_id(document) for document in documents]
        texts = [SourceText(name, document.page_content, name) for name, document in zip(ids, documents, strict=True)]
        return [
            GraphDocument(
                nodes=[_node(entity) for entity in entities_of(facts)],
                relationships=[_relationship(fact) for fact in facts],
                source=document,
            )
            for document, facts in zip(documents, find_facts(self._model, texts, self.batch_size), strict=True)
        ]


def _id(document: Document) -> str:
    """Return the id of a document; without one, the id that Neo4jGraph.add_graph_documents gives it."""
    own = document.id or document.metadata.get("id")
    return str(own or md5(document.page_content.encode("utf-8"), usedforsecurity=False).hexdigest())


def _node(entity: Entity) -> Node:
    type_ = {"type": entity.type} if entity.type else {}
    return Node(id=entity.name, **type_, properties=dict(entity.properties))


def _relationship(fact: Fact) -> Relationship:
    return Relationship(
        source=_node(fact.subject), target=_node(fact.object), type=fact.predicate, properties=fact.properties
    )
