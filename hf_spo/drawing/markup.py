"""Pieces of markup that drawings are written in."""

from collections.abc import Iterable
from html import escape

from ..support.safe_text import printable_line


def markup(text: str) -> str:
    """Return a text as it stands in HTML or XML, in an element or in an attribute."""
    return escape("\n".join(printable_line(line) for line in text.split("\n")))


def pixels(number: float) -> str:
    """Write a number of pixels."""
    return f"{round(number, 1) + 0.0:g}"


def length(width: float) -> str:
    """Return the attributes that hold a text to a width, whatever the font."""
    return f' textLength="{pixels(width)}" lengthAdjust="spacingAndGlyphs"' if width >= 0.1 else ""


def classes(numbers: Iterable[int]) -> str:
    """Return the names of classes that connect what belongs to the same triples."""
    return "".join(f" hs-t{number}" for number in dict.fromkeys(numbers))


class Side:
    """Turns places on a line into those of the picture: from the left, also where text runs from right to left."""

    def __init__(self, width: float, margin: float, right_to_left: bool) -> None:
        self.width, self.margin, self.right_to_left = width, margin, right_to_left

    def __call__(self, x: float, width: float = 0.0) -> str:
        """Return where something of this width begins, in pixels from the left."""
        return pixels(self.width - self.margin - x - width if self.right_to_left else self.margin + x)
