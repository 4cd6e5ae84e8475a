"""Metrics of a service, for Prometheus."""

from collections.abc import Callable
from typing import Any

try:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
except ImportError:
    raise ImportError("the service needs prometheus-client: pip install 'hf-spo[serve]'") from None

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class ServiceMetrics:
    """The metrics of one service, in a registry of their own.

    Args:
        queue_length: returns the number of requests that wait.
    """

    def __init__(self, queue_length: Callable[[], float]) -> None:
        self.registry = CollectorRegistry()
        ours: dict[str, Any] = {"registry": self.registry}
        self._requests = Counter("hf_spo_requests", "Requests by path and status.", ("path", "status"), **ours)
        self._rejected = Counter("hf_spo_rejected", "Refused requests by reason.", ("reason",), **ours)
        self._seconds = Histogram(
            "hf_spo_request_seconds", "Seconds from a request to its response.", ("path",), buckets=_SECONDS, **ours
        )
        self._texts = Counter("hf_spo_texts", "Texts in successful requests.", **ours)
        self._characters = Counter("hf_spo_characters", "Characters in successful requests.", **ours)
        self._triples = Counter("hf_spo_triples", "Triples found.", **ours)
        self._batch_texts = Histogram(
            "hf_spo_batch_texts", "Texts that went through the model together.", buckets=_TEXTS, **ours
        )
        self._batch_seconds = Histogram(
            "hf_spo_batch_seconds", "Seconds that the model needed for a batch.", buckets=_SECONDS, **ours
        )
        queue = Gauge("hf_spo_queue_length", "Requests in the queue.", **ours)
        queue.set_function(queue_length)
        ProcessCollector(**ours)

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count a request and its response."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def rejected(self, reason: str) -> None:
        """Count a refused request."""
        self._rejected.labels(reason).inc()

    def answered(self, texts: int, characters: int, triples: int) -> None:
        """Count the content of a successful request."""
        self._texts.inc(texts)
        self._characters.inc(characters)
        self._triples.inc(triples)

    def batch(self, texts: int, seconds: float) -> None:
        """Count texts that went through the model together."""
        self._batch_texts.observe(texts)
        self._batch_seconds.observe(seconds)

    def page(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)
