"""What a service can be told: its limits, and the times that it waits."""

from dataclasses import dataclass, field

from .inputs import InputLimits

TOKEN_VARIABLE = "HF_SPO_TOKEN"
"""The environment variable with the token that requests have to bring."""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Limits of a service. Times are in seconds.

    Args:
        inputs: how much one request may ask for.
        max_body: bytes of a request's body.
        max_queue: requests that wait for the model; more are told to come back later.
        max_connections: open ones; more are refused.
        batch_characters: of texts that go through the model together, unless one text alone has more.
        workers: threads with the model, each of which computes a batch of its own.
        gather_time: that the model waits, when many requests were answered at once, for those that follow.
        time_limit: from the arrival of a request's body to its answer.
        receive_time: until the head of a request, and then until its body, has to be there.
        keep_alive: until a connection without requests is closed.
        grace: that what was taken has to be finished in, once the service is told to stop.
        log_texts: log texts, and messages of unexpected exceptions, which may hold texts.
    """

    inputs: InputLimits = field(default_factory=lambda: InputLimits(texts=1000, characters=100_000))
    max_body: int = 1 << 20
    max_queue: int = 256
    max_connections: int = 512
    batch_characters: int = 1 << 14
    workers: int = 1
    gather_time: float = 0.005
    time_limit: float = 60
    receive_time: float = 10
    keep_alive: float = 15
    grace: float = 30
    log_texts: bool = False
