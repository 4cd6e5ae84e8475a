"""The service on several machines, by Ray Serve: several replicas, each with its own model and queue.

    serve run hf_spo.service.ray_serve:build model=base replicas=2
    serve build hf_spo.service.ray_serve:build -o service.yaml && serve deploy service.yaml

Ray's proxy passes requests to the replicas. It listens at 127.0.0.1:8000 by default. If it is started with another
address, the environment variable HF_SPO_TOKEN has to be set for the replicas: without a token they answer only to
localhost.
"""

import os
from typing import Any

from ..loading.loader import load
from .application import make_app
from .service import Service
from .service_settings import TOKEN_VARIABLE, ServiceSettings

try:
    from ray import serve
except ImportError:
    raise ImportError("serving on several machines needs Ray: pip install 'hf-spo[ray-serve]'") from None

_DEFAULTS = ServiceSettings()


def build(arguments: dict[str, str]) -> Any:
    """Return the application.

    Args:
        arguments: `model` (a name, or a folder that all machines have), `replicas`, and `cpus`, `gpus` and `max_queue`
            of each replica; all have defaults.

    Raises:
        ValueError: an argument is unknown, or not a number where one is needed.
    """
    given: dict[str, Any] = {"model": "base", "replicas": 1, "cpus": 1, "gpus": 0, "max_queue": _DEFAULTS.max_queue}
    unknown = sorted(arguments.keys() - given)
    if unknown:
        raise ValueError(f"unknown argument {', '.join(unknown)}; known are {', '.join(given)}")
    given |= arguments
    model, settings = str(given["model"]), ServiceSettings(max_queue=int(given["max_queue"]))

    # Called in each replica.
    def make() -> Any:
        return _application(model, settings)

    deployment: Any = serve.deployment(
        serve.ingress(make)(),
        name="hf-spo",
        num_replicas=int(given["replicas"]),
        # Requests wait in the queue of the replica, which refuses too many; Ray holds back further ones.
        max_ongoing_requests=2 * settings.max_queue,
        graceful_shutdown_timeout_s=settings.grace,
        ray_actor_options={"num_cpus": float(given["cpus"]), "num_gpus": float(given["gpus"])},
    )
    return deployment.bind()


def _application(model: str, settings: ServiceSettings) -> Any:
    service = Service(load(model), settings)
    service.warm_up()
    # Ray's proxy gives each request an id and sends it.
    return make_app(service, os.environ.get(TOKEN_VARIABLE) or None, sends_ids=False)
