"""Models that bring their code along: they run without hf_spo, and with it its own code is used."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer, pipeline
from transformers.dynamic_module_utils import get_class_from_dynamic_module, get_imports, get_relative_imports

import hf_spo
from hf_spo.hub.standalone import add_standalone_code, travelling_files
from hf_spo.model.versions import package_version
from tests import builders
from tests.hub import matrix

FILES = travelling_files()
# What transformers itself needs, and so is wherever it is.
ALLOWED = {"huggingface_hub", "numpy", "packaging", "regex", "safetensors", "tokenizers", "torch", "transformers"}


@pytest.fixture
def folder(tmp_path):
    """A copy of a kept checkpoint."""
    return shutil.copytree(matrix.CHECKPOINTS / "dgcnn", tmp_path / "dgcnn")


class TestTravellingFiles:
    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
    def test_import_nothing_that_is_not_everywhere(self, path):
        """By the rules of the scanner in transformers, which looks into functions and docstrings as well."""
        assert set(get_imports(path)) - set(sys.stdlib_module_names) <= ALLOWED
        for name in get_relative_imports(path):
            assert re.fullmatch(r"\w+", name), f"{path.name}: from .{name} import"
            assert path.with_name(f"{name}.py") in FILES

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
    def test_import_each_other_by_name_alone(self, path):
        """`from . import x` the scanner does not follow, and `from ..x import y` it cannot."""
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level == 1
                assert node.module

    def test_are_few_and_flat(self):
        assert {path.parent.name for path in FILES} == {"model"}
        assert {"pipeline.py", "modeling_dgcnn.py", "modeling_ensemble.py", "words.py"} < {path.name for path in FILES}
        assert not {"__init__.py", "registration.py", "tables.py"} & {path.name for path in FILES}

    def test_the_one_that_configs_refer_to_has_every_class(self):
        for config in (hf_spo.SpoConfig, hf_spo.EnsembleConfig):
            references = config.code_references()
            named = [*references["auto_map"].values(), references["custom_pipelines"]["triple-extraction"]["impl"]]
            for reference in named:
                module, name = reference.split(".")
                assert getattr(getattr(hf_spo, name), "__name__", None) == name
                assert hasattr(sys.modules[f"hf_spo.model.{module}"], name)


class TestAdding:
    def test_files_and_references(self, folder):
        before = json.loads((folder / "config.json").read_text())
        added = add_standalone_code(folder)
        assert added == [path.name for path in FILES]
        assert all((folder / name).read_bytes() == path.read_bytes() for name, path in zip(added, FILES, strict=True))
        config = json.loads((folder / "config.json").read_text())
        assert config["auto_map"]["AutoModel"] == "pipeline.SpoForTripleExtraction"
        # The version is that of the added code.
        assert {key: config[key] for key in before} == {**before, "hf_spo_version": package_version()}
        assert add_standalone_code(folder) == added

    def test_only_to_models_of_ours(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"config\.json"):
            add_standalone_code(tmp_path)
        for content in ('{"model_type": "bert"}', "[]"):
            (tmp_path / "config.json").write_text(content)
            with pytest.raises(
                ValueError, match="not the config of a triple-extraction model: expected model_type hf_spo or"
            ):
                add_standalone_code(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


class TestWithThePackage:
    def test_its_own_code_is_used_and_nobody_is_asked(self, folder):
        add_standalone_code(folder)
        expected = matrix.expected("dgcnn")
        for trust in ({}, {"trust_remote_code": True}, {"trust_remote_code": False}):
            assert type(AutoConfig.from_pretrained(folder, **trust)) is hf_spo.SpoConfig
            assert type(AutoModel.from_pretrained(folder, **trust)) is hf_spo.SpoForTripleExtraction
            extract = pipeline("triple-extraction", model=str(folder), **trust)
            assert type(extract) is hf_spo.TripleExtractionPipeline
            assert matrix.close(extract(expected["texts"]), expected["triples"])

    def test_a_model_of_its_own_code_goes_into_the_installed_pipeline(self, folder, tmp_path, monkeypatch):
        add_standalone_code(folder)
        monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
        monkeypatch.setattr(sys, "path", [*sys.path])
        model_class = get_class_from_dynamic_module("pipeline.SpoForTripleExtraction", str(folder))
        assert model_class is not hf_spo.SpoForTripleExtraction
        tokenizer = AutoTokenizer.from_pretrained(folder)
        extract = pipeline("triple-extraction", model=model_class.from_pretrained(folder), tokenizer=tokenizer)
        assert type(extract) is hf_spo.TripleExtractionPipeline
        expected = matrix.expected("dgcnn")
        assert matrix.close(extract(expected["texts"]), expected["triples"])

    def test_what_is_saved_then_is_a_plain_model(self, folder, tmp_path):
        add_standalone_code(folder)
        pipeline("triple-extraction", model=str(folder)).save_pretrained(str(tmp_path / "again"))
        config = json.loads((tmp_path / "again" / "config.json").read_text())
        assert not {"auto_map", "custom_pipelines"} & set(config)
        assert not list((tmp_path / "again").glob("*.py"))


@pytest.mark.slow
def test_without_the_package(hub, tmp_path):
    """The core of the matrix: either kind of model, either place; and whatever else one does."""
    sources = matrix.add_sources(hub, tmp_path)
    chosen = {name: sources[name] for name in ("bert, Hub", "dgcnn, local folder")}
    found = matrix.run_column("no-plugin", chosen, hub, tmp_path, "dgcnn, local folder")
    for name, cells in found.items():
        assert matrix.judge("no-plugin", name, cells) == dict.fromkeys(matrix.WAYS, "ok")
    assert found["dgcnn, local folder"]["parts"] == ["transformers_modules"] * 2
    check_the_rest(found["dgcnn, local folder"])


def check_the_rest(cells):
    """Check what `matrix_column.more_cells` found: the same triples, bit by bit, whatever the way."""
    assert "error" not in cells
    triples = cells["pipeline"][1]
    assert cells["task inferred"] == ["triple-extraction", triples]
    assert cells["saved anew"] == {"pipeline": triples, "model": triples}
    assert cells["versions"] == dict.fromkeys(("pipeline", "model"), package_version())
    assert cells["files"] == {way: [path.name for path in FILES] for way in ("pipeline", "model")}
    message = "pictures and tables of triples need hf_spo: pip install hf-spo"
    assert cells["needs hf_spo"] == dict.fromkeys(("render", "to_arrow", "to_pandas"), message)


@pytest.mark.slow
def test_the_whole_matrix(hub, tmp_path):
    sources = matrix.add_sources(hub, tmp_path)
    columns = {
        "plugin": matrix.run_column("plugin", sources, hub, tmp_path),
        "no-plugin": matrix.run_column("no-plugin", sources, hub, tmp_path, *sources),
    }
    for column, found in columns.items():
        assert list(found) == list(sources)
        for name, cells in found.items():
            assert matrix.judge(column, name, cells) == dict.fromkeys(matrix.WAYS, "ok")
    for name, cells in columns["no-plugin"].items():
        own = columns["plugin"][name]
        assert [cells["AutoModel"][1:], cells["pipeline"][1]] == [own["AutoModel"][1:], own["pipeline"][1]]
        check_the_rest(cells)


@pytest.fixture
def every_kind(tmp_path):
    """Folders of models with their code: those of the package, one that knows triples, and an ensemble."""
    folders = {name: shutil.copytree(hf_spo.packaged(name), tmp_path / name) for name in ("base", "lite")}
    folders |= {name: tmp_path / name for name in ("prior", "ensemble")}
    # It is not trained, so that anything goes.
    anything = {f"{part}_{border}_threshold": 0.0 for part in ("subject", "object") for border in ("start", "end")}
    config = hf_spo.SpoConfig.from_pretrained(matrix.CHECKPOINTS / "bert", prior=True, **anything)
    torch.manual_seed(0)
    model = hf_spo.SpoForTripleExtraction(config)
    known = builders.example("《晚风》由白露演唱", ("晚风", "歌手", "白露"))
    model.features.prior = hf_spo.TripleStore.from_examples([known], config.schema)
    model.save_pretrained(folders["prior"])
    AutoTokenizer.from_pretrained(matrix.CHECKPOINTS / "bert").save_pretrained(folders["prior"])
    parts = [matrix.CHECKPOINTS / kind for kind in matrix.KINDS]
    hf_spo.SpoEnsemble.from_models(parts, "union").save_pretrained(folders["ensemble"])
    for folder in folders.values():
        add_standalone_code(folder)
    return folders


@pytest.mark.slow
def test_every_kind_of_model_without_the_package(every_kind, hub, tmp_path):
    texts = [
        *matrix.expected("bert")["texts"],
        *(item.text for item in builders.EXAMPLES),
        "😀𠮷\udc00《e\u0301》" * 40,
    ]
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    code = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.hub import matrix_column
matrix_column.without_hf_spo()
from transformers import pipeline
texts, out = json.loads(Path("texts.json").read_text()), {}
for name in sys.argv[2:]:
    extract = pipeline("triple-extraction", model=name, trust_remote_code=True)
    assert matrix_column.origin(extract) == matrix_column.origin(extract.model) == "transformers_modules"
    out[name] = extract(texts, top_k=9)
    extract.save_pretrained("again-" + name)
    again = pipeline(model="again-" + name, trust_remote_code=True)
    assert again(texts, top_k=9) == out[name], name
assert "hf_spo" not in sys.modules
Path("out.json").write_text(json.dumps(out))
"""
    subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code, str(Path(matrix.__file__).parent), *every_kind],
        cwd=tmp_path, env={**os.environ, **hub.environment}, check=True, timeout=600,
    )  # fmt: skip
    found = json.loads((tmp_path / "out.json").read_text())
    for name, folder in every_kind.items():
        own = pipeline("triple-extraction", model=str(folder))(texts, top_k=9)
        assert found[name] == own
        assert any(own)
