"""Registration: after `import hf_spo` transformers knows the family, whichever of both is imported first."""

import ast
import logging
import subprocess
import sys
from functools import cache
from pathlib import Path

from transformers import AutoConfig, AutoModel, pipeline
from transformers.pipelines import PIPELINE_REGISTRY

import hf_spo
from hf_spo.loading import registration_hook
from hf_spo.loading.registration import TASK, register
from tests import builders

PARENT = Path(__file__).parents[2]


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


def test_the_order_of_imports_does_not_matter():
    """The second imports transformers while modules that the registration needs are half imported."""
    orders = ("import transformers, hf_spo", "import hf_spo.model.pipeline")
    check = (
        "from transformers import CONFIG_MAPPING, AutoModel\n"
        "from transformers.pipelines import PIPELINE_REGISTRY\n"
        "task = PIPELINE_REGISTRY.check_task('triple-extraction')[1]\n"
        "configs = [CONFIG_MAPPING[name] for name in ('dgcnn', 'hf_spo', 'hf_spo_ensemble')]\n"
        "print(task['impl'].__name__, *(AutoModel._model_mapping[config].__name__ for config in configs))\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", f"{order}\n{check}"],
            cwd=PARENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for order in orders
    ]  # fmt: skip
    known = "TripleExtractionPipeline DgcnnModel SpoForTripleExtraction SpoEnsemble"
    results = [process.communicate(timeout=240) for process in processes]
    for order, (output, errors) in zip(orders, results, strict=True):
        assert output.strip() == known, (order, errors)


def test_the_hook_knows_every_module_that_may_import_transformers_first():
    package = Path(hf_spo.__file__).parent / "model"

    @cache
    def imported(name: str) -> set[str]:
        body = ast.parse((package / f"{name}.py").read_text(encoding="utf-8")).body
        froms = [node for node in body if isinstance(node, ast.ImportFrom)]
        plain = {alias.name.split(".")[0] for node in body if isinstance(node, ast.Import) for alias in node.names}
        return plain | {"." * node.level + str(node.module).split(".")[0] for node in froms}

    @cache
    def needed(name: str) -> set[str]:
        own = {other[1:] for other in imported(name) if other[0] == "." and (package / f"{other[1:]}.py").is_file()}
        return {name}.union(*map(needed, own))

    names = needed("pipeline")  # the registration imports nothing else of this package
    first = {name for name in names if any("transformers" in imported(one) for one in needed(name))}
    assert {f"hf_spo.model.{name}" for name in first} == set(registration_hook._MODULES)
