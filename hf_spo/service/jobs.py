"""Requests in progress, and batches of texts from several of them."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..model.extraction import Loop
from ..model.schema import Triple
from .inputs import Options

Found = list[Triple] | Exception | None
"""Result of a text: its triples, or the error; None until it was read."""

_TURN = 1024
"""Characters of a request that go into a batch before the next request's turn."""

_LEAST = 16
"""Characters that a text counts at least: a batch of a thousand empty texts also costs time."""


@dataclass(eq=False, slots=True)
class Job:
    """The texts of a request.

    Args:
        texts: of the request.
        options: requests with the same options can share a batch.
        loop: extracts with these options.
        future: gets the result of each text.
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
        """Whether some of its texts are in no batch yet."""
        return not self.is_dropped and self.taken < len(self.texts)

    def put(self, index: int, found: Found) -> bool:
        """Store the result of a text. Returns whether the request is complete: one error is enough."""
        self.results[index] = found
        self.missing -= 1
        self.is_dropped |= isinstance(found, Exception)
        return self.is_dropped or not self.missing


Place = tuple[Job, int]
"""A request and the index of one of its texts."""


@dataclass(slots=True)
class Batch:
    """Texts of several requests with the same options."""

    places: list[Place] = field(default_factory=list)
    characters: int = 0

    def take_turn(self, job: Job, room: int) -> bool:
        """Add the next texts of a request, as many as a turn and the room allow, but at least one to an empty batch.

        Returns whether any was added.
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
        """Yield the texts sorted by length, in parts that need little padding.

        Args:
            max_padding: characters of padding that take as long as a forward pass of their own.
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
