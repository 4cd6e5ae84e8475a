"""A drawing as SVG. Light colours are attributes, which all viewers show; the style sheet adds the dark ones."""

from collections.abc import Iterator

from .colours import FONTS, LIGHT, SHORT, styles
from .connector_svg import connectors
from .marking import Marking, describe
from .markup import Side, classes, length, markup, pixels
from .text_layout import CAPTION, FONT, MARGIN, Box, Caption, Row, Run, layout

_NOTE, _NOTE_LINE, _NOTES_WIDTH = 12.5, 20.0, 320.0


def svg(found: Marking, width: float, *, alone: bool = True) -> str:
    """Return a drawing as an SVG element, at most `width` pixels wide.

    Args:
        found: content of the drawing.
        width: maximum width of a line.
        alone: whether it is a standalone file, with a style sheet and notes on triples that are not drawn.
    """
    picture = layout(found, width)
    notes = list(_notes(found)) if alone else []
    size = max(picture.width, min(width, _NOTES_WIDTH)) if notes else picture.width
    height = picture.height + len(notes) * _NOTE_LINE
    at = Side(size, MARGIN, picture.right_to_left)
    rows = "".join(part for row in picture.rows for part in _row(found, row, at))
    foot = "".join(
        f'<text class="hs-soft" fill="{LIGHT.soft}" x="{pixels(MARGIN)}" '
        f'y="{pixels(picture.height + _NOTE_LINE * number + 6)}" font-size="{_NOTE}">{markup(note)}</text>'
        for number, note in enumerate(notes)
    )
    root = ' xmlns="http://www.w3.org/2000/svg" class="hf-spo"' if alone else ""
    style = f"<style>{styles(len(found.triples))}</style>" if alone else ""
    return (
        f'<svg{root} viewBox="0 0 {pixels(size)} {pixels(height)}" width="{pixels(size)}" height="{pixels(height)}" '
        f'font-family="{markup(FONTS)}" xml:space="preserve" style="white-space:pre">{style}'
        f'<rect class="hs-paper" fill="{LIGHT.paper}" width="100%" height="100%" rx="8"/>{rows}{foot}</svg>'
    )


def _notes(found: Marking) -> Iterator[str]:
    if not found.triples:
        yield "no triples"
    for number in found.unplaced:
        yield f"not placed in the text: {describe(found.triples[number])}"


def _row(found: Marking, row: Row, at: Side) -> Iterator[str]:
    """Yield the elements of a line of text, from back to front."""
    for box in row.boxes:
        yield from _box(box, at)
    yield from connectors(found, row, at)
    yield from (_caption(caption, at) for caption in row.captions)
    # In right-to-left text, x is the end of the text.
    direction = ' direction="rtl" text-anchor="end"' if at.right_to_left else ""
    runs = "".join(_run(run, at) for run in row.runs)
    y = pixels(row.baseline)
    yield f'<text class="hs-ink" fill="{LIGHT.ink}" y="{y}" font-size="{FONT}"{direction}>{runs}</text>'


def _run(run: Run, at: Side) -> str:
    names = f' class="hs-h{classes(run.triples)}"' if run.triples else ""
    return f'<tspan{names} x="{at(run.x, run.width)}"{length(run.width)}>{markup(run.text)}</tspan>'


def _box(box: Box, at: Side) -> Iterator[str]:
    """Yield the background of a mark; with two roles, the second colours the lower half."""
    first, *others = box.mark.ranked_roles()
    x, names = at(box.x, box.width), classes(box.mark.triples)
    size = f'width="{pixels(box.width)}" height="{pixels(box.height)}" rx="4"'
    yield (
        f'<rect class="hs-d hs-{SHORT[first]}{names}" x="{x}" y="{pixels(box.y)}" {size} fill="{LIGHT.fills[first]}"/>'
    )
    if others:
        second, half, width = others[0], box.height / 2, box.width
        yield (
            f'<path class="hs-d hs-{SHORT[second]}{names}" fill="{LIGHT.fills[second]}" d="M{x} {pixels(box.y + half)}'
            f'h{pixels(width)}v{pixels(half - 4)}q0 4-4 4h{pixels(8 - width)}q-4 0-4-4z"/>'
        )
    yield (
        f'<rect class="hs-d hs-{SHORT[first]}l{names}" x="{x}" y="{pixels(box.y)}" {size} fill="none" '
        f'color="{LIGHT.strokes[first]}" stroke="currentColor"/>'
    )


def _caption(caption: Caption, at: Side) -> str:
    bracket = ""
    if caption.bracket is not None:
        low, high = caption.bracket
        path = f"M{at(low, high - low)} {pixels(caption.y - CAPTION - 2.5)}v3h{pixels(high - low)}v-3"
        bracket = f'<path d="{path}" fill="none" stroke="currentColor"/>'
    return (
        f'<g class="hs-d hs-{SHORT[caption.role]}l{classes(caption.triples)}" color="{LIGHT.strokes[caption.role]}">'
        f'{bracket}<text x="{at(caption.x, caption.width)}" y="{pixels(caption.y)}" font-size="{CAPTION}" '
        f'fill="currentColor"{length(caption.width)}>{markup(caption.text)}</text></g>'
    )
