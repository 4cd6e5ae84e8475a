"""Limits and times of a service."""

from dataclasses import dataclass

from ..model.options import BATCH_TOKENS

TOKEN_VARIABLE = "HF_SPO_TOKEN"
"""Environment variable with the token that requests have to bring."""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Limits and times of a service. Times are in seconds.

    Args:
        max_texts: texts in one request.
        max_characters: characters in one text.
        max_body: bytes of a request's body.
        max_queue: requests that wait for the model; further ones are refused and may come back.
        max_connections: open connections; further ones are refused.
        batch_tokens: most tokens in one forward pass that a request may ask for; also the default.
        batch_characters: characters of texts that go through the model together, unless one text alone has more.
        workers: threads with the model, each of which computes a batch of its own.
        gather_time: how long the model waits for further requests after it has answered several at once.
        time_limit: from the arrival of a request's body to its response.
        receive_time: until a request's body has arrived.
        keep_alive: until an idle connection is closed.
        grace: for requests in progress, once the service is told to stop.
        log_texts: log texts, and messages of unexpected exceptions, which may contain texts.
    """

    max_texts: int = 1000
    max_characters: int = 100_000
    max_body: int = 1 << 20
    max_queue: int = 256
    max_connections: int = 512
    batch_tokens: int = BATCH_TOKENS
    batch_characters: int = 1 << 14
    workers: int = 1
    gather_time: float = 0.005
    time_limit: float = 60
    receive_time: float = 10
    keep_alive: float = 15
    grace: float = 30
    log_texts: bool = False
