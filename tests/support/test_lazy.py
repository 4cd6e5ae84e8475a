"""Names of a package that are imported when they are asked for."""

import importlib
import sys
from pathlib import Path

import pytest

PACKAGE = """
from hf_spo.support.lazy import lazy_names
__getattr__, __dir__ = lazy_names(__name__, {"leaf": "branch", "fruit": "bough", "root": "ground"})
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A package of lazy names: a leaf on a branch, a fruit that its bough does not have, a root that needs earth."""
    folder = tmp_path / "lazy_tree"
    folder.mkdir()
    for name, code in {
        "__init__": PACKAGE,
        "branch": "leaf = object()\n",
        "bough": "",
        "ground": "import no_such_earth\n",
    }.items():
        (folder / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("lazy_tree")
    for name in [name for name in sys.modules if name.split(".")[0] == "lazy_tree"]:
        del sys.modules[name]


def test_a_name_is_imported_when_it_is_asked_for(tree):
    assert "lazy_tree.branch" not in sys.modules
    leaf = tree.leaf
    assert leaf is sys.modules["lazy_tree.branch"].leaf
    assert vars(tree)["leaf"] is leaf  # at once, the next time


def test_modules_are_attributes(tree):
    assert tree.branch is importlib.import_module("lazy_tree.branch")


def test_names_are_listed_before_they_are_imported(tree):
    assert {"leaf", "fruit", "root", "__name__"} <= set(dir(tree))
    assert dir(tree) == sorted(dir(tree))
    assert "lazy_tree.branch" not in sys.modules


def test_unknown_names_are_attribute_errors(tree):
    for name in ("stone", "_stone", "__wrapped__"):
        with pytest.raises(AttributeError, match=f"module 'lazy_tree' has no attribute '{name}'"):
            getattr(tree, name)
    with pytest.raises(AttributeError, match="fruit"):
        _ = tree.fruit
    with pytest.raises(ImportError, match="cannot import name 'stone'"):
        exec("from lazy_tree import stone")


def test_a_package_that_is_not_installed_is_named(tree):
    with pytest.raises(ImportError, match=r"lazy_tree\.root needs no_such_earth, which is not installed: install it"):
        _ = tree.root
