"""Shared fixtures: a tiny tokenizer, schema and model, and the same model after it has learnt eight sentences."""

import os
import sys
from functools import partial
from typing import Any

import pytest
import torch

from hf_spo import Schema, SpoForTripleExtraction
from hf_spo.onnx import export_onnx
from tests import builders


def pytest_configure() -> None:
    """Give each of several workers one processor: threads of several processes that wait for each other crawl."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the processes that tests start
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_tokenizer() -> Any:
    """WordPiece with Chinese characters and pieces of Latin words."""
    return builders.wordpiece_tokenizer()


@pytest.fixture(scope="session")
def tiny_schema() -> Schema:
    """Fourteen relations: two share a predicate, three are qualifier slots."""
    return builders.SCHEMA


@pytest.fixture
def tiny_model(tiny_tokenizer: Any, tiny_schema: Schema) -> SpoForTripleExtraction:
    """A tiny BERT with random weights, in evaluation mode."""
    return builders.spo_model(builders.encoder_config("bert", len(tiny_tokenizer)), tiny_schema)


@pytest.fixture(scope="session")
def trained_model(tiny_tokenizer: Any, tiny_schema: Schema) -> SpoForTripleExtraction:
    """A tiny BERT that knows `builders.EXAMPLES` by heart. Shared: do not change it."""
    model = builders.spo_model(builders.encoder_config("bert", len(tiny_tokenizer), size=64), tiny_schema)
    builders.overfit(model, builders.training_batch(builders.EXAMPLES, tiny_tokenizer, tiny_schema), steps=300)
    return model


@pytest.fixture(scope="session")
def trained_folder(trained_model: SpoForTripleExtraction, tiny_tokenizer: Any, tmp_path_factory: Any) -> str:
    """The trained model and its tokenizer, saved. Shared: do not change it."""
    folder = tmp_path_factory.mktemp("trained")
    trained_model.save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def exported_folder(trained_model: SpoForTripleExtraction, tiny_tokenizer: Any, tmp_path_factory: Any) -> str:
    """The trained model as an ONNX export; takes seconds to make. Shared: do not change it."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    export_onnx(trained_model, tiny_tokenizer, folder)
    return str(folder)


@pytest.fixture(scope="session", params=list(builders.TOKENIZERS))
def any_tokenizer(request: pytest.FixtureRequest) -> Any:
    """One tokenizer of each family."""
    return builders.TOKENIZERS[request.param]


@pytest.fixture(scope="session")
def load_metric(tmp_path_factory: Any) -> Any:
    """Return `evaluate.load` with a cache of this session; Python imports metrics from one folder a process."""
    import evaluate

    cache = tmp_path_factory.mktemp("metrics")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate.config, "HF_MODULES_CACHE", str(cache / "modules"))
        patch.setattr(sys, "path", list(sys.path))
        yield partial(evaluate.load, cache_dir=str(cache))
