"""A Hub to publish to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants
from huggingface_hub.hf_api import api

from tests.hub.fake_hub import FakeHub
from tests.hub.fake_hub_server import TOKEN


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    """A running fake Hub without repositories; pass `hub.environment` on to subprocesses, `hub.url` to `HfApi`."""
    with FakeHub(tmp_path_factory.mktemp("hub-home")) as running:
        yield running


@pytest.fixture
def here(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    """A running fake Hub that is the Hub for this process: what its environment says is read at import otherwise."""
    home = Path(hub.environment["HF_HOME"])
    for name, value in (
        ("ENDPOINT", hub.url),
        ("HUGGINGFACE_CO_URL_TEMPLATE", f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"),
        ("HF_HUB_OFFLINE", False),
        ("HF_HUB_DISABLE_XET", True),
        ("HF_HUB_CACHE", str(home / "hub")),
    ):
        monkeypatch.setattr(constants, name, value)
    monkeypatch.setattr(api, "endpoint", hub.url)
    monkeypatch.setattr("transformers.utils.hub._hf_api", None)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return hub
