"""Helpers for writing HTML and SVG."""

from collections.abc import Iterable
from html import escape

from ..support.safe_text import printable_line


def markup(text: str) -> str:
    """Escape a text for an element or an attribute in HTML or XML."""
    return escape("\n".join(printable_line(line) for line in text.split("\n")))


def pixels(number: float) -> str:
    """Format a number of pixels."""
    return f"{round(number, 1) + 0.0:g}"


def length(width: float) -> str:
    """Return the attributes that fit a text to a width in any font."""
    return f' textLength="{pixels(width)}" lengthAdjust="spacingAndGlyphs"' if width >= 0.1 else ""


def classes(numbers: Iterable[int]) -> str:
    """Return the class names of triples."""
    return "".join(f" hs-t{number}" for number in dict.fromkeys(numbers))


class Side:
    """Converts positions on a line to pixels from the left, also for right-to-left text."""

    def __init__(self, width: float, margin: float, right_to_left: bool) -> None:
        self.width, self.margin, self.right_to_left = width, margin, right_to_left

    def __call__(self, x: float, width: float = 0.0) -> str:
        """Return the left position of something of this width."""
        return pixels(self.width - self.margin - x - width if self.right_to_left else self.margin + x)
