"""The service on a local Ray cluster of two replicas."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests import builders

pytest.importorskip("ray")

# Ray itself warns of much, when it is imported and later.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]


@pytest.fixture(scope="module")
def ray_serve():
    from hf_spo.service import ray_serve

    return ray_serve


@pytest.fixture(scope="module")
def address(ray_serve, trained_folder):
    import ray
    from ray import serve

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    os.environ["HF_SPO_TOKEN"] = "secret"  # which the workers of the cluster inherit
    ray.init("local", num_cpus=3, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        serve.start(http_options={"port": port})
        serve.run(ray_serve.build({"model": trained_folder, "replicas": "2", "cpus": "0.5"}))
        yield f"http://127.0.0.1:{port}"
    finally:
        serve.shutdown()
        ray.shutdown()
        del os.environ["HF_SPO_TOKEN"]


def test_two_replicas_answer_as_one_service_does(address):
    with httpx.Client(base_url=address, headers={"Authorization": "Bearer secret"}, timeout=60) as client:

        def ask(item):
            return client.post("/extract", json={"texts": [item.text]})

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(ask, builders.EXAMPLES * 8))
        for item, answer in zip(builders.EXAMPLES * 8, answers, strict=True):
            assert builders.facts(answer.json()["results"][0]) == builders.facts(item.triples)
        assert len(answers[0].headers["x-request-id"]) > 10
        assert ", " not in answers[0].headers["x-request-id"]
        wrong = client.post("/extract", json={"texts": 5})
        assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "texts")
        large = client.post("/extract", content=b" " * (2 << 20), headers={"Content-Type": "application/json"})
        assert large.status_code == 413
    assert httpx.get(f"{address}/schema").status_code == 401
    assert httpx.get(f"{address}/ready").json() == {"status": "ready"}


def test_arguments(ray_serve):
    with pytest.raises(ValueError, match="unknown argument replica; known are model, replicas"):
        ray_serve.build({"replica": "2"})
    deployment = ray_serve.build({"replicas": "3", "cpus": "0.5", "max_queue": "10"})._bound_deployment
    assert (deployment.num_replicas, deployment.max_ongoing_requests) == (3, 20)
    assert deployment.ray_actor_options["num_cpus"] == 0.5


def test_what_runs_in_a_replica(ray_serve, trained_folder):
    app = ray_serve._application(trained_folder, ray_serve._DEFAULTS)
    assert app._sends_ids is False
