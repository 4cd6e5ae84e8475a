"""Registration: `import hf_spo` makes the family known to transformers, quietly and any number of times."""

import logging
import subprocess
import sys
from pathlib import Path

import builders
from transformers import AutoConfig, AutoModel, pipeline
from transformers.pipelines import PIPELINE_REGISTRY

import hf_spo
from hf_spo.registration import TASK, register

PARENT = Path(__file__).parents[1]


def test_twice_is_silent(caplog, recwarn, capsys):
    with caplog.at_level(logging.DEBUG):
        register()
        register()
    assert not caplog.records
    assert not recwarn.list
    assert capsys.readouterr() == ("", "")


def test_config_and_model_are_known():
    config = AutoConfig.for_model("hf_spo", relations=builders.SCHEMA.to_list())
    assert type(config) is hf_spo.SpoConfig
    assert AutoModel._model_mapping[hf_spo.SpoConfig] is hf_spo.SpoForTripleExtraction
    assert hf_spo.AutoModelForTripleExtraction._model_mapping[hf_spo.SpoConfig] is hf_spo.SpoForTripleExtraction


def test_task_is_known_with_the_packaged_model_as_its_default():
    _, task, _ = PIPELINE_REGISTRY.check_task(TASK)
    assert task["impl"] is hf_spo.TripleExtractionPipeline
    assert task["default"]["model"][0] == str(hf_spo.packaged("base"))


def test_a_saved_pipeline_refers_to_no_class_and_loads_again(trained_folder, tmp_path):
    """With `register_pipeline` it would, and every later load would fail."""
    pipeline(TASK, model=trained_folder).save_pretrained(tmp_path)
    assert "custom_pipelines" not in (tmp_path / "config.json").read_text()
    item = builders.EXAMPLES[4]
    assert builders.facts(pipeline(TASK, model=str(tmp_path))(item.text)) == builders.facts(item.triples)


def test_a_fresh_process_needs_only_the_import(trained_folder):
    item = builders.EXAMPLES[4]
    code = (
        "import sys, hf_spo, importlib\n"
        "importlib.reload(hf_spo)\n"
        "from transformers import pipeline\n"
        "(triple,) = pipeline('triple-extraction', model=sys.argv[1])(sys.argv[2])\n"
        "print(ascii(triple['object']['text']))\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, trained_folder, item.text],
        cwd=PARENT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == ascii(item.triples[0].object.text)


def test_public_names_exist():
    for name in hf_spo.__all__:
        assert hasattr(hf_spo, name)
