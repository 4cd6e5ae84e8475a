"""Results as HTML, text and tables. All text of users and files passes through `markup` or `printable_line`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..drawing import render
from ..drawing.markup import markup
from ..graph import KnowledgeGraph, Row
from ..graph.page import most_connected, page_data
from ..model.fields import json_line
from ..model.results import Triples
from ..support.safe_text import printable_line
from .file_extraction import MAX_DOCUMENTS, Outcome
from .strings import Language, count_of_triples, say

MOST_FACTS = 60
"""Number of facts that the graph draws."""

_WIDTH = 1080
_PROBLEMS = 5
_STYLE_ELEMENT = re.compile(r"<style>.*?</style>", re.DOTALL)
_IN_THE_DARK = "@media (prefers-color-scheme:dark){"
_TRIPLE = ("subject", "subject_type", "predicate", "object", "object_type", "qualifiers", "score", "offsets")
_PREVIEW = ("document", "subject", "predicate", "object", "qualifiers", "score")


@dataclass(frozen=True, slots=True)
class Status:
    """A status line that can be shown in both languages.

    Args:
        key: key of the message, see `strings`.
        values: values of the message; the number under "triples" is written out.
        kind: "note", "busy", "done" or "wrong".
    """

    key: str
    values: dict[str, Any] = field(default_factory=dict)
    kind: str = "note"

    def html(self, language: Language) -> str:
        """Return the line in a language."""
        values = dict(self.values)
        if "triples" in values:
            values["triples"] = count_of_triples(language, values["triples"])
        return f'<div class="status {self.kind}" role="status">{markup(say(language, self.key, **values))}</div>'


@dataclass(frozen=True, slots=True)
class PageContent:
    """Contents of the page: a status, and triples with their text."""

    status: Status
    triples: Triples = field(default_factory=Triples)

    def parts(self, language: Language) -> tuple[str, str, dict[str, Any], str, str]:
        """Return status, sentence, table, graph and JSON."""
        if not self.triples:
            return self.status.html(language), "", triples_table((), language), "", ""
        return (
            self.status.html(language),
            sentence(self.triples),
            triples_table(self.triples, language),
            graph(self.triples, language),
            json_line(self.triples, indent=2),
        )


def sentence(triples: Triples) -> str:
    """Draw a text and its triples; the dark colours apply within the class `dark`, as Gradio sets it."""
    drawing = render(triples.text, triples.triples, width=_WIDTH)
    # Replace in style sheets only, not in the text.
    return _STYLE_ELEMENT.sub(lambda found: found.group().replace(_IN_THE_DARK, ".dark{"), drawing)


def graph(triples: Triples, language: Language) -> str:
    """Return an element that the page's script draws as a graph, with a note if some facts are left out."""
    built = KnowledgeGraph()
    built.add(Row("", triples.triples))
    edges, total = most_connected(built, MOST_FACTS), len(built.edges)
    data = page_data(built, edges)
    height = min(240 + 14 * len(data["nodes"]), 640)
    picture = (
        f'<div class="hf-spo-graph" role="img" aria-label="{markup(say(language, "graph_heading"))}" '
        f'style="height:{height}px" data-graph="{markup(json_line(data))}"></div>'
    )
    if len(edges) == total:
        return picture
    return f'{picture}<p class="note">{markup(say(language, "graph_part", shown=len(edges), total=total))}</p>'


def file_status(outcome: Outcome, language: Language) -> str:
    """Report the results of a file and the records that could not be read."""
    values = {"name": outcome.name, "documents": f"{outcome.documents:,}", "triples": outcome.triples}
    parts = [Status("file_done", values, "done").html(language)]
    if outcome.is_cut:
        parts.append(Status("file_cut", {"limit": f"{MAX_DOCUMENTS:,}"}, "wrong").html(language))
    if outcome.problems:
        parts.append(_problems(outcome.problems, language))
    return "".join(parts)


def progress(outcome: Outcome, total: int | None, language: Language) -> str:
    """Report the progress, with a bar if the number of documents is known."""
    done = outcome.documents + len(outcome.problems)
    values = {"done": f"{done:,}", "triples": outcome.triples}
    bar = f'<progress max="{max(total, done, 1)}" value="{done}"></progress>' if total is not None else ""
    return Status("file_progress", values, "busy").html(language) + bar


def _problems(problems: Sequence[Any], language: Language) -> str:
    lines = [
        f"<li><bdi>{markup(str(one.id))}</bdi>: <bdi>{markup(one.problem)}</bdi></li>" for one in problems[:_PROBLEMS]
    ]
    more = "<li>…</li>" if len(problems) > _PROBLEMS else ""
    heading = markup(say(language, "file_bad", count=f"{len(problems):,}"))
    return f'<div class="status wrong">{heading}<ul>{"".join(lines)}{more}</ul></div>'


def triples_table(triples: Iterable[Mapping[str, Any]], language: Language) -> dict[str, Any]:
    """Return triples in their JSON form as headers and rows of a table."""
    return _table(_TRIPLE, map(_cells, triples), language)


def preview_table(rows: Sequence[tuple[str, Mapping[str, Any]]], language: Language) -> dict[str, Any]:
    """Return triples with the names of their documents as headers and rows of a table."""
    return _table(_PREVIEW, ({"document": name, **_cells(triple)} for name, triple in rows), language)


def _table(columns: Sequence[str], rows: Iterable[Mapping[str, str]], language: Language) -> dict[str, Any]:
    return {
        "headers": [say(language, f"column_{column}") for column in columns],
        "data": [[printable_line(row[column]) for column in columns] for row in rows],
    }


def _cells(triple: Mapping[str, Any]) -> dict[str, str]:
    subject, value = triple["subject"], triple["object"]
    return {
        "subject": subject["text"],
        "subject_type": subject["type"],
        "predicate": triple["predicate"],
        "object": value["text"],
        "object_type": value["type"],
        "qualifiers": "; ".join(f"{slot}: {mention['text']}" for slot, mention in triple["qualifiers"].items()),
        "score": f"{triple['score']:.2f}",
        "offsets": f"{subject['start']}–{subject['end']}, {value['start']}–{value['end']}",
    }
