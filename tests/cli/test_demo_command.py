"""hf-spo demo: what its options come to. The page itself is tested in tests/demo."""

import pytest

from hf_spo.cli.models import ModelChoice
from tests.cli.command_line import one_line_error


@pytest.fixture
def launched(monkeypatch):
    """Launch nothing; return what would have been."""
    found = []

    def launch(loaders, host, port, tell):
        found.append(({name: load.__self__ for name, load in loaders.items()}, host, port))
        tell("the demo is at some address")

    monkeypatch.setattr("hf_spo.demo.launch", launch)
    return found


def test_the_packaged_models_on_this_machine(run, launched):
    result = run("demo")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == "hf-spo: the demo is at some address\n"
    ((choices, host, port),) = launched
    assert choices == {"base": ModelChoice("base"), "lite": ModelChoice("lite")}
    assert (host, port) == ("127.0.0.1", None)


def test_models_by_their_last_names_and_an_open_address(run, launched, trained_folder, tmp_path):
    (tmp_path / "a" / "x").mkdir(parents=True)
    (tmp_path / "b" / "x").mkdir(parents=True)
    models = [trained_folder, "a/x", "b/x", "lite"]
    options = [word for model in models for word in ("--model", model)]
    result = run("demo", *options, "--host", "0.0.0.0", "--port", "8000", "--dtype", "float32", "--threads", "1")
    assert result.exit_code == 0, result.stderr
    assert "everyone who can reach 0.0.0.0 can use this page" in result.stderr
    ((choices, host, port),) = launched
    assert list(choices) == [trained_folder.rsplit("/", 1)[-1], "a/x", "b/x", "lite"]
    assert {(choice.dtype, choice.threads) for choice in choices.values()} == {("float32", 1)}
    assert (host, port) == ("0.0.0.0", 8000)


def test_a_model_that_is_not_there(run, launched):
    line = one_line_error(run("demo", "--model", "./nowhere"), 1)
    assert line.startswith("hf-spo: error: there is no folder ./nowhere; expected a model's folder")
    assert launched == []
