"""The queue of requests, and the threads that run the model on batches of their texts."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from statistics import median
from threading import Condition, Thread

from ..model.extraction import Loop
from ..support.errors import as_exception
from .errors import queue_full, stopping
from .inputs import Options
from .jobs import Batch, Found, Job, Place
from .service_settings import ServiceSettings


class Batcher:
    """A queue of requests, and threads that answer them.

    Requests with the same options share batches. They take turns, so that a request with many texts does not delay
    others.

    Args:
        settings: limits of the queue and of a batch, and the number of threads.
        observe: called in a model thread with the size of each batch and the seconds that it took.
    """

    def __init__(
        self, settings: ServiceSettings, observe: Callable[[int, float], None] = lambda texts, seconds: None
    ) -> None:
        self._settings = settings
        self._observe = observe
        self._changed = Condition()
        self._waiting: deque[Job] = deque()
        self._running: list[Collection[Job]] = [()] * settings.workers
        self._idle = 0
        self.max_padding = 256.0  # measured by `Service.warm_up`
        self._is_open = False
        self._is_draining = False
        self._threads: list[Thread] = []
        self._events: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the threads; results go to the event loop that runs now."""
        self._events = asyncio.get_running_loop()
        self._is_open, self._is_draining = True, False
        # Daemons: a batch in progress must not keep the process from ending.
        self._threads = [
            Thread(target=self._work, args=(number,), name=f"hf-spo-model-{number}", daemon=True)
            for number in range(len(self._running))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether requests are accepted."""
        return self._is_open and not self._is_draining

    @property
    def is_full(self) -> bool:
        """Whether the next request would be refused."""
        return len(self._waiting) >= self._settings.max_queue

    def __len__(self) -> int:
        return len(self._waiting)

    def submit(self, texts: Sequence[str], options: Options, loop: Loop) -> Job:
        """Put a request at the end of the queue.

        Raises:
            RefusedError: the queue is full, or about to be closed.
        """
        if not self.is_ready:
            raise stopping()
        job = Job(texts, options, loop, asyncio.get_running_loop().create_future())
        if not texts:
            job.future.set_result([])
            return job
        with self._changed:
            if self.is_full:
                raise queue_full(f"{self._settings.max_queue:,} requests are waiting already; ask again in a moment")
            self._waiting.append(job)
            self._changed.notify()
        return job

    def drop(self, job: Job) -> None:
        """Remove a request whose client no longer waits."""
        with self._changed:
            job.is_dropped = True
            if job in self._waiting:
                self._waiting.remove(job)

    def drain(self) -> None:
        """Accept no more requests; those accepted are finished."""
        self._is_draining = True

    def abandon(self) -> None:
        """Refuse all requests that are not finished."""
        with self._changed:
            left = {*self._waiting, *chain.from_iterable(self._running)}
            self._waiting.clear()
            for job in left:
                job.is_dropped = True
        _refuse(left, stopping())

    def close(self) -> None:
        """End the threads after the batches in progress."""
        self.drain()
        with self._changed:
            self._is_open = False
            self._changed.notify_all()

    def _work(self, number: int) -> None:
        """Answer requests until the queue is closed, whatever is raised on the way."""
        while self._is_open:
            try:
                self._answer(number)
            except BaseException as error:  # a panic of Rust code, such as the tokenizer's, is not an Exception
                self._fail(number, error)

    def _fail(self, number: int, error: BaseException) -> None:
        """Refuse the requests that a thread was working on, or all that wait if it could not compose a batch."""
        with self._changed:
            failed = list(self._running[number] or self._waiting)
            self._running[number] = ()
            for job in failed:
                job.is_dropped = True
            self._waiting = deque(job for job in self._waiting if job.waits)
            self._call(_refuse, failed, as_exception(error))

    def _answer(self, number: int) -> None:
        answered = 0
        while (batch := self._next(number, answered)) is not None:
            answered = 0
            for part in batch.parts(self.max_padding):
                wanted = [place for place in part if not place[0].is_dropped]
                answered += self._extract(wanted)

    def _extract(self, places: Sequence[Place]) -> int:
        """Extract from texts and deliver the requests that are complete. Returns their number."""
        if not places:
            return 0
        began = time.perf_counter()
        found = _extract(places[0][0].loop, [job.texts[index] for job, index in places])
        self._observe(len(places), time.perf_counter() - began)
        with self._changed:  # other threads may have other texts of a request
            done = {job: None for (job, index), result in zip(places, found, strict=True) if job.put(index, result)}
        if done:
            self._call(_deliver, done)
        return len(done)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        """Call a function in the event loop, if that still runs."""
        assert self._events is not None
        if not self._events.is_closed():
            self._events.call_soon_threadsafe(function, *arguments)

    def _next(self, number: int, answered: int) -> Batch | None:
        """Wait for requests and return the next batch; None once the queue is closed.

        Args:
            number: of this thread.
            answered: requests that the last batch of this thread completed.
        """
        with self._changed:
            self._running[number] = ()
            self._waiting = deque(job for job in self._waiting if job.waits)
            self._idle += 1
            try:
                # A client that was answered a moment ago is likely to ask again, and many texts at once cost little
                # more than one.
                if answered > 1:
                    self._changed.wait_for(
                        lambda: len(self._waiting) >= answered or not self._is_open, self._settings.gather_time
                    )
                self._changed.wait_for(lambda: self._waiting or not self._is_open)
            finally:
                self._idle -= 1
            if not self._is_open:
                return None
            batch = self._compose()
            self._running[number] = {job for job, _ in batch.places}
            if self._waiting:
                self._changed.notify()
            return batch

    def _compose(self) -> Batch:
        """Fill a batch in turns, oldest request first; a request with texts left goes to the end of the queue."""
        options = self._waiting[0].options
        batch, turns = Batch(), deque(job for job in self._waiting if job.options == options)
        served: dict[Job, None] = {}
        # Idle threads get their share.
        room = min(self._settings.batch_characters, sum(job.characters for job in turns) // (1 + self._idle))
        while turns and batch.characters < room:
            job = turns.popleft()
            if batch.take_turn(job, room):
                served[job] = None
                turns.append(job)
        others = [job for job in self._waiting if job not in served]
        self._waiting = deque([*others, *(job for job in served if job.waits)])
        return batch


def _deliver(jobs: Iterable[Job]) -> None:
    for job in jobs:
        if not job.future.done():
            job.future.set_result(job.results)


def _refuse(jobs: Iterable[Job], error: Exception) -> None:
    for job in jobs:
        if not job.future.done():
            job.future.set_exception(error)


def _extract(loop: Loop, texts: Sequence[str]) -> list[Found]:
    """Extract from texts; if one fails, from each alone, so that the others succeed."""
    try:
        return list(loop(texts))
    except BaseException as error:  # a panic of Rust code, such as the tokenizer's, is not an Exception
        if len(texts) == 1:
            return [as_exception(error)]
        return [found for text in texts for found in _extract(loop, [text])]


_SAMPLE = "《星辰之外》由林晓舟执导，陈默然、周子衿主演，片中插曲《晚风》由白露作词、作曲并演唱，苏合编曲。"
_MANY = 16
_LENGTHS = (44, 46, 48)
_LEAST_COST, _MOST_COST = 64, 2048


def measure_max_padding(loop: Loop) -> float:
    """Return how many characters of padding take as long as a forward pass of their own.

    For a large model they are few, for a small one many. Texts of different lengths share a batch up to this.
    """
    one, many = (median(_seconds(loop, [_SAMPLE[:length]] * count) for length in _LENGTHS) for count in (1, _MANY))
    characters = median(_LENGTHS)
    per_character = max(many - one, 1e-9) / (characters * (_MANY - 1))
    return min(max(one / per_character - characters, _LEAST_COST), _MOST_COST)


def _seconds(loop: Loop, texts: Iterable[str]) -> float:
    began = time.perf_counter()
    list(loop(texts))
    return time.perf_counter() - began
