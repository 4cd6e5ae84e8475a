"""Settings of the graph writers."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..model.schema import Schema
from .conflicts import Conflict

PAGE_LIMIT = 2000
"""Default number of facts on an HTML page; browsers draw this many without delay."""

BASE_IRI = "https://example.org/"
LITERAL_TYPES = frozenset({"Date", "Number", "Text"})
# RFC 3987 excludes these characters from IRIs; a percent sign must start an escape.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[^\x00-\x20\x7f-\x9f<>\"{}|\\^`%\ud800-\udfff]|%[0-9A-Fa-f]{2})+")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class RdfSettings:
    """Settings of the RDF formats.

    Args:
        base_iri: prefix of the IRIs of entities, types, predicates and documents; must end with /, # or :.
        predicates: IRIs of predicates outside the base.
        language: language tag of all labels, such as zh; empty: no tag.
        literal_types: types whose objects become literals instead of entities with an IRI.
        schema: objects whose relation has the rule object_format also become literals.

    Raises:
        ValueError: an IRI or the language tag is malformed.
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
                    f"predicate map: {predicate!r}: {iri!r:.80} is not an absolute IRI; expected one such as "
                    f"https://schema.org/birthDate"
                )
        if self.language and not _LANGUAGE.fullmatch(self.language):
            raise ValueError(f"language {self.language!r}: expected a tag such as zh or en-GB")


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """Settings of all writers; each writer reads the ones that apply to its format.

    Args:
        rdf: settings of the RDF formats.
        conflicts: conflicts that an HTML page marks and lists.
        limit: number of facts that an HTML page draws.
        title: title of an HTML page.
        path: path of the output, for formats whose files refer to each other.
    """

    rdf: RdfSettings = field(default_factory=RdfSettings)
    conflicts: Sequence[Conflict] = ()
    limit: int = PAGE_LIMIT
    title: str = "Knowledge graph"
    path: Path = Path("graph")


def read_predicate_map(path: Path) -> dict[str, str]:
    """Read a JSON object that maps predicates to IRIs.

    Raises:
        ValueError: the file is not JSON, or not an object.
        FileNotFoundError: the file does not exist.
    """
    expected = "expected an object that maps predicates to IRIs"
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{path}: not valid JSON ({error}); {expected}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: got a {type(data).__name__}; {expected}")
    return data
