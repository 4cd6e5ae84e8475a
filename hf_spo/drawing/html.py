"""A drawing as an HTML element, and a page of drawings, without scripts, fonts or other files."""

from collections.abc import Iterable, Iterator

from ..model.schema import Mention, Triple
from .colours import BASE, DARK, FONTS, LIGHT, SHORT, Palette, hover
from .marking import OBJECT, SUBJECT, Marking
from .markup import classes, markup
from .svg import svg

_SLIM, _BREAK = 380.0, 560


def fragment(found: Marking, width: float) -> str:
    """Return a drawing as one element: style sheet, picture, and list of triples."""
    return (
        f'<div class="hf-spo"><style>{_STYLE}{hover(range(len(found.triples)))}</style>{_content(found, width)}</div>'
    )


def page(drawings: Iterable[Marking], width: float, title: str) -> Iterator[str]:
    """Yield the parts of a page, so that any number of drawings can be written."""
    yield (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{markup(title)}</title>\n<style>{_PAGE}{_STYLE}</style>\n</head>\n<body>\n"
    )
    known = 0
    for found in drawings:
        count = len(found.triples)
        style = f"<style>{hover(range(known, count))}</style>" if count > known else ""
        known = max(known, count)
        yield f'{style}<div class="hf-spo">{_content(found, width)}</div>\n'
    yield "</body>\n</html>\n"


def _content(found: Marking, width: float) -> str:
    wide = svg(found, width, alone=False)
    slim = svg(found, _SLIM, alone=False)
    if slim == wide:
        return f"{wide}{_list(found)}"
    return f'<div class="hs-wide">{wide}</div><div class="hs-slim">{slim}</div>{_list(found)}'


def _list(found: Marking) -> str:
    if not found.triples:
        return '<p class="hs-none">no triples</p>'
    count = len(found.triples)
    rows = "".join(_row(found, number, triple) for number, triple in enumerate(found.triples))
    return (
        f'<details class="hs-list" open><summary>{count} triple{"s" if count > 1 else ""}</summary>'
        f"<table><tbody>{rows}</tbody></table></details>"
    )


def _row(found: Marking, number: int, triple: Triple) -> str:
    colour = found.colours[triple.predicate] % len(LIGHT.predicates)
    qualifiers = "".join(
        f'<span class="hs-slot">{markup(slot)}: <bdi>{markup(mention.text)}</bdi></span> '
        for slot, mention in triple.qualifiers.items()
    )
    missing = ' <span class="hs-slot">not placed in the text</span>' if number in found.unplaced else ""
    score = "" if triple.score is None else f"{triple.score:.2f}"
    return (
        f'<tr class="hs-h hs-d{classes([number])}"><td>{_mention(triple.subject, SUBJECT)}</td>'
        f'<td><b class="hs-c{colour}"><bdi>{markup(triple.predicate)}</bdi>&#160;→</b></td>'
        f"<td>{_mention(triple.object, OBJECT)} {qualifiers}{missing}</td><td>{score}</td></tr>"
    )


def _mention(mention: Mention, role: str) -> str:
    kind = f" <small>{markup(mention.type)}</small>" if mention.type else ""
    return f'<bdi class="hs-chip-{SHORT[role]}">{markup(mention.text)}</bdi>{kind}'


def _colours(palette: Palette) -> str:
    return (
        f".hf-spo{{background:{palette.paper};color:{palette.ink};border-color:{palette.line}}}"
        f".hf-spo small,.hf-spo .hs-slot,.hf-spo summary,.hf-spo .hs-none{{color:{palette.soft}}}"
        f".hf-spo .hs-list tr:nth-child(n) td{{border-top:1px solid {palette.line};color:{palette.ink}}}"
        + "".join(f".hf-spo .hs-chip-{SHORT[role]}{{background:{palette.fills[role]}}}" for role in (SUBJECT, OBJECT))
    )


_STYLE = (
    f".hf-spo{{container-type:inline-size;border:1px solid;border-radius:10px;margin:.5em 0;font:14px/1.45 {FONTS}}}"
    ".hf-spo svg{display:block;max-width:100%;height:auto}"
    ".hf-spo .hs-slim{display:none}"
    f"@container (max-width:{_BREAK}px){{.hf-spo .hs-wide{{display:none}}.hf-spo .hs-slim{{display:block}}}}"
    ".hf-spo .hs-list,.hf-spo .hs-none{margin:0;padding:0 12px 8px}"
    ".hf-spo summary{cursor:pointer;font-size:12px}"
    ".hf-spo table{border-collapse:collapse;border:0;margin:4px 0 0;width:auto;font-size:13px}"
    ".hf-spo .hs-list tr:nth-child(n){background:none}"
    ".hf-spo .hs-list tr:nth-child(n) td{border:0;padding:3px 14px 3px 0;text-align:left;vertical-align:baseline;"
    "white-space:normal;max-width:none}"
    ".hf-spo .hs-list tr:nth-child(n) td:last-child{font-variant-numeric:tabular-nums;padding-right:0}"
    ".hf-spo .hs-list bdi{overflow-wrap:anywhere}"
    ".hf-spo .hs-list bdi[class]{border-radius:4px;padding:1px 5px;box-decoration-break:clone}"
    ".hf-spo .hs-list b{font-weight:600}"
    ".hf-spo .hs-list b bdi{overflow-wrap:break-word}"
    ".hf-spo small,.hf-spo .hs-slot{font-size:11.5px}"
    ".hf-spo small{white-space:nowrap}"
    ".hf-spo .hs-slot{margin-left:.7em}"
    + _colours(LIGHT)
    + "".join(f".hf-spo b.hs-c{number}{{color:{colour}}}" for number, colour in enumerate(LIGHT.predicates))
    + f"@media (prefers-color-scheme:dark){{{_colours(DARK)}"
    + "".join(f".hf-spo b.hs-c{number}{{color:{colour}}}" for number, colour in enumerate(DARK.predicates))
    + "}"
    + BASE
)
_PAGE = (
    ":root{color-scheme:light dark}"
    "body{margin:0 auto;padding:12px;max-width:800px;background:#f3f5f7}"
    "@media (prefers-color-scheme:dark){body{background:#010409}}"
)
