"""hf-spo show."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from ..data.documents import ReadOptions
from ..drawing import WIDTH, page, render
from ..model.options import ExtractionOptions
from ..support.files import whole_file
from .console import BadLines, printable, say, set_aside
from .models import ModelChoice
from .options import FILE, FILES_PANEL, NEW_FILE, BatchSize, SkipBadLines, Texts, command, option
from .stream import texts_of

_Row = tuple[str, Sequence[Mapping[str, Any]]]
_STYLES = {
    "subject": "bold white on #0756b3",
    "object": "bold black on #ffcf5c",
    "both": "bold black on #7fd6c2",
    "qualifier": "bold white on #7440c2",
}


@command()
def show(
    texts: Texts = None,
    input_file: Annotated[
        Path | None,
        option("Draw the triples of this file, as extract writes it.", "--input", panel=FILES_PANEL, **FILE),
    ] = None,
    output: Annotated[
        Path | None,
        option(
            "File of the drawing: .html for a page, .svg for a picture of one text.",
            "--output", "-o", panel=FILES_PANEL, default="the terminal", **NEW_FILE,
        ),
    ] = None,
    width: Annotated[int, option("Width of a picture.", panel=FILES_PANEL, min=160, metavar="PIXELS")] = WIDTH,
    encoding: Annotated[str, option("Encoding of stdin.", panel=FILES_PANEL, metavar="NAME")] = "utf-8",
    skip_bad_lines: SkipBadLines = False,
    batch_size: BatchSize = None,
    *,
    choice: ModelChoice,
    extraction: ExtractionOptions,
) -> None:  # fmt: skip
    """Draw triples: mentions are marked in their text, arrows lead from subjects to objects.

    Examples:
      hf-spo show 《战狼2》的导演和主演都是吴京。
      hf-spo show 《战狼2》的导演和主演都是吴京。 --output picture.svg
      hf-spo show --input triples.jsonl --output page.html
    """
    if output is not None and output.suffix.lower() not in (".html", ".svg"):
        raise typer.BadParameter(f"--output {output}: expected .html, a page, or .svg, a picture of one text")
    if (input_file is None) == (not texts):
        raise typer.BadParameter("expected either TEXT, with - to read lines from stdin, or --input FILE")
    with ExitStack() as stack:
        bad_lines = stack.enter_context(set_aside(skip_bad_lines, output))
        file = stack.enter_context(whole_file(output)) if output else None
        if input_file is not None:
            rows: Iterable[_Row] = _read(input_file, bad_lines)
        else:
            given = texts_of(texts or [], ReadOptions(encoding=encoding))
            found = choice.load()(given, batch_size=batch_size, **extraction.to_dict())
            rows = ((triples.text, triples) for triples in found)
        if file is None:
            console = Console(highlight=False)
            for text, triples in rows:
                console.print(marked(text, triples))
        else:
            assert output is not None
            file.writelines(_drawn(rows, output, width))
    if output is not None:
        say(f"hf-spo: the drawing is in {output}")


def _read(path: Path, bad_lines: BadLines | None) -> Iterator[_Row]:
    from ..data import read_examples

    for example in read_examples(path, bad_lines):
        yield example.text, [triple.to_dict() for triple in example.triples]


def _drawn(rows: Iterable[_Row], output: Path, width: int) -> Iterator[str]:
    """Yield the parts of a page, or one picture.

    Raises:
        ValueError: there are several texts, or none, for one picture.
    """
    if output.suffix.lower() == ".html":
        yield from page(rows, title=output.stem, width=width)
        return
    stream = iter(rows)
    first = next(stream, None)
    if first is None or next(stream, None) is not None:
        came = "none" if first is None else "several"
        raise ValueError(f"{output} is a picture of one text, and there are {came}; name a page of many .html")
    yield render(*first, style="svg", width=width)


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
