"""Requests on their way through the model, and batches of texts of several of them."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..model.extraction import Loop
from ..model.schema import Triple
from .inputs import Options

Found = list[Triple] | Exception | None
"""Of a text: its triples, or why there are none; None until it was read."""

_TURN = 1024
"""Characters of a request that go into a batch before another request's turn comes."""

_LEAST = 16
"""Characters that a text counts at least: a batch of a thousand empty texts is not for nothing."""


@dataclass(eq=False, slots=True)
class Job:
    """The texts of a request.

    Args:
        texts: of the request.
        options: it can be answered together with requests of the same.
        loop: that extracts with these options.
        future: gets what was found in each text.
    """

    texts: Sequence[str]
    options: Options
    loop: Loop
    future: "asyncio.Future[list[Found]]"
    results: list[Found] = field(init=False)
    taken: int = 0
    missing: int = field(init=False)
    characters: int = field(init=False)
    is_dropped: bool = False

    def __post_init__(self) -> None:
        self.characters = sum(max(len(text), _LEAST) for text in self.texts)
        self.results = [None] * len(self.texts)
        self.missing = len(self.texts)

    @property
    def waits(self) -> bool:
        """Whether some of its texts are still to be taken."""
        return not self.is_dropped and self.taken < len(self.texts)

    def put(self, index: int, found: Found) -> bool:
        """Take what was found in a text. Returns whether that makes an answer: if one fails, the rest is not needed."""
        self.results[index] = found
        self.missing -= 1
        self.is_dropped |= isinstance(found, Exception)
        return self.is_dropped or not self.missing


Place = tuple[Job, int]
"""A request and the number of one of its texts."""


@dataclass(slots=True)
class Batch:
    """Texts of several requests with the same options."""

    places: list[Place] = field(default_factory=list)
    characters: int = 0

    def take_turn(self, job: Job, room: int) -> bool:
        """Take a request's next texts, as many as a turn and the room allow, one if there is none yet.

        Returns whether any was taken.
        """
        before, turn = len(self.places), 0
        while job.waits:
            size = max(len(job.texts[job.taken]), _LEAST)
            if (turn and turn + size > _TURN) or (self.places and self.characters + size > room):
                break
            self.places.append((job, job.taken))
            job.taken += 1
            turn += size
            self.characters += size
        return len(self.places) > before

    def parts(self, max_padding: float) -> Iterator[list[Place]]:
        """Yield the texts by length, so that little is padded, as many together as is worth it.

        Args:
            max_padding: characters of padding that cost as much as a pass of its own.
        """
        part: list[Place] = []
        characters = 0
        for job, index in sorted(self.places, key=lambda place: len(place[0].texts[place[1]])):
            size = len(job.texts[index])
            if part and size * len(part) - characters > max_padding:
                yield part
                part, characters = [], 0
            part.append((job, index))
            characters += size
        if part:
            yield part
