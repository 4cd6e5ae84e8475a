"""A text with its mentions marked, and its triples as a tree, for a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from .console import printable

_STYLES = {
    "subject": "bold white on #0756b3",
    "object": "bold black on #ffcf5c",
    "both": "bold black on #7fd6c2",
    "qualifier": "bold white on #7440c2",
}


def marked(text: str, triples: Sequence[Mapping[str, Any]]) -> Group:
    """Lay out a text and its triples, in the JSON form of [`Triple.to_dict`]."""
    sentence = printable(text)
    roles: dict[tuple[int, int], set[str]] = {}
    for triple in triples:
        for role, mention in _mentions(triple):
            if "start" in mention:
                roles.setdefault((mention["start"], mention["end"]), set()).add(role)
    # The longest first: what lies within another mention is marked on top of it.
    for (start, end), own in sorted(roles.items(), key=lambda item: item[0][0] - item[0][1]):
        sentence.stylize(_style(own), start, end)
    if not triples:
        return Group(sentence, Text("no triples", style="dim"), "")
    return Group(sentence, *_trees(triples), "")


def _mentions(triple: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    yield "subject", triple["subject"]
    yield "object", triple["object"]
    yield from (("qualifier", mention) for mention in triple["qualifiers"].values())


def _style(roles: set[str]) -> str:
    main = roles - {"qualifier"}
    return _STYLES["both" if len(main) == 2 else next(iter(main or roles))]


def _trees(triples: Sequence[Mapping[str, Any]]) -> Iterable[RenderableType]:
    """Yield a tree for each subject."""
    width = max(cell_len(printable(triple["predicate"]).plain) for triple in triples)
    trees: dict[tuple[Any, ...], Tree] = {}
    for triple in triples:
        subject = triple["subject"]
        key = subject["text"], subject.get("start"), subject["type"]
        if key not in trees:
            trees[key] = Tree(_mention(subject, "subject"), guide_style="dim")
        predicate = printable(triple["predicate"])
        line = Text.assemble(
            (predicate.plain, "bold"),
            " " * (width - cell_len(predicate.plain)),
            " ▸ ",
            _mention(triple["object"], "object"),
        )
        if triple.get("score") is not None:
            line.append(f"  {triple['score']:.2f}", "cyan")
        branch = trees[key].add(line)
        for slot, mention in triple["qualifiers"].items():
            branch.add(Text.assemble((f"{printable(slot)} ▸ ", "dim"), _mention(mention, "qualifier")))
    return trees.values()


def _mention(mention: Mapping[str, Any], role: str) -> Text:
    words = printable(mention["text"])
    words.stylize(_STYLES[role])
    kind = printable(mention["type"]).plain
    return Text.assemble(words, (f" {kind}" if kind else "", "dim"))
