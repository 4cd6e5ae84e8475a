"""Models for the demo's tests, which find what they are told to find."""

import sys
from collections.abc import Iterable
from functools import partial
from typing import Any

from hf_spo.demo import launch
from hf_spo.model.schema import Mention, Span, Triple

TEXT = "《远山的灯》由林小川执导，周一鸣主演"
EVIL = (
    "《<script>alert(1)</script><img src=x onerror=alert(2)>》由**粗**[x](javascript:alert(3))${alert(4)}{{7*7}}"
    "\ud800\x00\u202e"
)


def mention(text: str, part: str, kind: str = "") -> Mention:
    start = text.index(part)
    return Mention(part, Span(start, start + len(part)), kind)


def triple(text: str, subject: str, predicate: str, value: str, score: float = 0.9, **slots: str) -> Triple:
    qualifiers = {slot: mention(text, part, "地点") for slot, part in slots.items()}
    return Triple(mention(text, subject, "影视作品"), predicate, mention(text, value, "人物"), qualifiers, score)


class Pipe:
    """Finds (first half, 关系, second half) in every text; or fails, in texts that have 坏 in them."""

    def __init__(self, kind: str = "人物", predicate: str = "关系") -> None:
        self.kind, self.predicate = kind, predicate
        self.calls: list[dict[str, Any]] = []

    def extractor(self, **parameters: Any) -> Any:
        self.calls.append(parameters)
        return self._loop

    def _loop(self, texts: Iterable[str], batch_size: int | None = None) -> Any:
        return iter([self._triples(text) for text in texts])

    def _triples(self, text: str) -> list[Triple]:
        if "坏" in text:
            raise ValueError("this one is bad")
        half = len(text) // 2
        if not half or "无" in text:
            return []
        left, right = Mention(text[:half], Span(0, half), self.kind), text[half:]
        value = Mention(right, Span(half, len(text)), self.kind)
        return [Triple(left, self.predicate, value, {self.predicate: left}, 0.5)]


if __name__ == "__main__":  # a page whose every type and predicate is hostile, too
    launch({"evil": partial(Pipe, EVIL, EVIL)}, port=int(sys.argv[1]))
