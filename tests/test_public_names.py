"""Names of packages: the same for type checkers and at run time, and none heavier than it must be."""

import ast
import subprocess
import sys
import tomllib
from importlib import import_module
from itertools import chain
from pathlib import Path
from types import ModuleType

import pytest

import hf_spo
import hf_spo.data
import hf_spo.doctor
import hf_spo.onnx
import hf_spo.training

ROOT = Path(__file__).parents[1]
LAZY = [hf_spo, hf_spo.data, hf_spo.doctor, hf_spo.onnx, hf_spo.training]
PACKAGES = pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)


def lazily(package: ModuleType) -> tuple[dict[str, str], dict[str, str]]:
    """Return where a package's names come from, for type checkers and at run time."""
    (block,) = (node for node in ast.parse(Path(str(package.__file__)).read_text()).body if isinstance(node, ast.If))
    checked = {
        alias.name: str(node.module) for node in block.body for alias in node.names if isinstance(node, ast.ImportFrom)
    }
    (assignment,) = block.orelse
    return checked, ast.literal_eval(assignment.value.args[1])


@PACKAGES
def test_type_checkers_and_run_time_know_the_same_names(package):
    checked, run_time = lazily(package)
    assert checked == run_time
    assert {*run_time, *({"packaged"} if package is hf_spo else ())} == set(package.__all__)


@PACKAGES
def test_every_name_is_there(package):
    for name, module in lazily(package)[1].items():
        assert getattr(package, name) is getattr(import_module(f"{package.__name__}.{module}"), name)
    assert set(package.__all__) <= set(dir(package))


@PACKAGES
def test_no_name_is_a_module_too(package):
    """Whoever imports such a module first would find it in the name's place."""
    modules = {path.stem for path in Path(str(package.__file__)).parent.iterdir()}
    assert not modules & set(lazily(package)[1])
    assert callable(hf_spo.packaged)


def test_what_needs_no_framework_runs_without_one():
    code = """
import sys
for name in ("torch", "transformers", "datasets", "accelerate"):
    sys.modules[name] = None  # as if it were not installed
import hf_spo
assert "numpy" not in sys.modules
from hf_spo import Example, Mention, Relation, Schema, Span, Triple, TripleExtractor, TripleStore
from hf_spo import load_onnx, packaged, read_word_vectors, register_segmenter
from hf_spo.data import AlignmentReport, OccurrencePolicy, example_from_row, read_examples, read_texts
from hf_spo.doctor import diagnose
import hf_spo.model.options, hf_spo.cli, hf_spo.metrics, hf_spo.model.windows
for package, name, missing in (
    (hf_spo, "SpoConfig", "transformers"),
    (hf_spo, "SpoForTripleExtraction", "torch"),
    (hf_spo, "character_tokenizer", "transformers"),
    (hf_spo.data, "SpoDataset", "torch"),
    (hf_spo.data, "load_duie", "datasets"),
):
    try:
        getattr(package, name)
    except ImportError as error:
        assert f"{package.__name__}.{name} needs {missing}, which is not installed" in str(error), error
    else:
        raise AssertionError(name)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_the_slim_requirements_are_some_of_the_projects_own():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = {*project["dependencies"], *chain(*project["optional-dependencies"].values())}
    lines = (ROOT / "requirements-onnx.txt").read_text().splitlines()
    wanted = {line for line in lines if not line.startswith("#")}
    assert wanted
    assert wanted <= known


def test_every_room_has_smoke_tests():
    folders = [path for path in (ROOT / "hf_spo").iterdir() if (path / "__init__.py").is_file()]
    assert len(folders) > 10
    for folder in folders:
        tests = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / folder.name).glob("test_*.py")]
        assert any("pytest.mark.smoke" in text for text in tests), folder.name
