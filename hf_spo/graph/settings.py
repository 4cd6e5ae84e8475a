"""What a graph is written as, and how."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ..model.schema import Schema


class GraphFormat(StrEnum):
    """Formats that a graph can be written in."""

    TURTLE = "turtle"
    NTRIPLES = "ntriples"
    JSONLD = "jsonld"
    GRAPHML = "graphml"
    GEXF = "gexf"
    NEO4J_CSV = "neo4j-csv"
    CYPHER = "cypher"
    HTML = "html"


RDF_FORMATS = (GraphFormat.TURTLE, GraphFormat.NTRIPLES, GraphFormat.JSONLD)
SUFFIXES = {
    ".ttl": GraphFormat.TURTLE,
    ".nt": GraphFormat.NTRIPLES,
    ".jsonld": GraphFormat.JSONLD,
    ".graphml": GraphFormat.GRAPHML,
    ".gexf": GraphFormat.GEXF,
    ".cypher": GraphFormat.CYPHER,
    ".html": GraphFormat.HTML,
}
"""What a file's name says of its format."""

LIMIT = 2000
"""Facts that an HTML page draws; a browser is quick with so many."""

BASE_IRI = "https://example.org/"
LITERAL_TYPES = frozenset({"Date", "Number", "Text"})
# What RFC 3987 keeps out of an IRI, and what only begins an escape.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[^\x00-\x20\x7f-\x9f<>\"{}|\\^`%\ud800-\udfff]|%[0-9A-Fa-f]{2})+")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


def guess_format(path: Path) -> GraphFormat:
    """Return the format that a file's name says.

    Raises:
        ValueError: it says none.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"{path}: its name does not say what to write; name it {', '.join(SUFFIXES)}, or give the format: "
            f"{', '.join(GraphFormat)}"
        )
    return SUFFIXES[path.suffix.lower()]


@dataclass(frozen=True, slots=True)
class RdfSettings:
    """How a graph becomes RDF.

    Args:
        base_iri: under which all IRIs of ours are; ends with /, # or :.
        predicates: IRIs of predicates that are not to be under the base.
        language: tag of all labels, such as zh; empty: none.
        literal_types: objects of these types are literals, and not entities with an IRI.
        schema: objects whose relation has the rule object_format are literals, too.

    Raises:
        ValueError: an IRI or the tag is none.
    """

    base_iri: str = BASE_IRI
    predicates: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    literal_types: frozenset[str] = LITERAL_TYPES
    schema: Schema | None = None

    def __post_init__(self) -> None:
        if not _IRI.fullmatch(self.base_iri) or self.base_iri[-1] not in "/#:":
            raise ValueError(
                f"base IRI {self.base_iri!r}: expected an absolute IRI that ends with /, # or :, such as {BASE_IRI}"
            )
        for predicate, iri in self.predicates.items():
            if not isinstance(iri, str) or not _IRI.fullmatch(iri):
                raise ValueError(
                    f"predicate map: {predicate!r}: {iri!r:.80} is no absolute IRI; expected one such as "
                    f"https://schema.org/birthDate"
                )
        if self.language and not _LANGUAGE.fullmatch(self.language):
            raise ValueError(f"language {self.language!r}: expected a tag such as zh or en-GB")


def read_predicate_map(path: Path) -> dict[str, str]:
    """Read a JSON object of IRIs by predicate.

    Raises:
        ValueError: the file is no such thing.
        FileNotFoundError: there is no such file.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{path}: no JSON ({error}); expected an object of IRIs by predicate") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: got a {type(data).__name__}; expected an object of IRIs by predicate")
    return data
