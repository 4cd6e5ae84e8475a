"""What the package never does: run strings as code, unpickle, reach for the network on its own, write elsewhere."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import builders

ROOT = Path(__file__).parents[1]
SOURCES = [path for name in ("hf_spo", "spaces", "recipes") for path in sorted((ROOT / name).rglob("*.py"))]

# Calls by their last name, or by their whole one where others of that name are harmless.
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec", "os.system", "os.popen",
    "tempfile.mktemp", "mktemp", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "marshal.loads", "marshal.load",
    "joblib.load", "np.load", "numpy.load", "pickle.load", "pickle.loads", "shelve.open", "pandas.read_pickle",
    "torch.hub.load", "pty.spawn", "os.execv", "os.execvp", "os.spawnl",
}  # fmt: skip
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "telnetlib", "ftplib"}


def name_of(call: ast.expr) -> str:
    """Return what is called, as it is written: `torch.load`."""
    if isinstance(call, ast.Attribute):
        return f"{name_of(call.value)}.{call.attr}"
    return call.id if isinstance(call, ast.Name) else "…"


def unsafe(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of what a source may not have."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((node.lineno, name) for name in unsafe_call(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from ((node.lineno, name) for name in names if name.split(".")[0] in FORBIDDEN_MODULES)


def unsafe_call(call: ast.Call) -> Iterator[str]:
    name = name_of(call.func)
    given = {word.arg: word.value for word in call.keywords}
    if name in FORBIDDEN or name.split(".")[-1] in ("read_pickle", "to_pickle", "unsafe_load"):
        yield name
    if name == "torch.load" and not is_true(given.get("weights_only")):
        yield f"{name} without weights_only=True"
    if "shell" in given and not is_false(given["shell"]):
        yield f"{name} with a shell"
    if is_true(given.get("allow_pickle")) or is_true(given.get("trust_remote_code")):
        yield f"{name} with trust in code that comes along"
    if is_false(given.get("use_safetensors")) or is_false(given.get("verify")):
        yield f"{name} without a check"


def is_true(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def is_false(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def test_no_source_runs_what_it_reads():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in SOURCES
        for line, name in unsafe(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert len(SOURCES) > 200
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')", "exec(text)", "compile(a, b, 'exec')", "__import__(name)", "import pickle",
        "from pickle import loads",
        "import marshal as m", "os.system('x')", "torch.load(path)", "torch.load(path, weights_only=False)",
        "yaml.load(file)", "yaml.load(file, Loader=yaml.SafeLoader)", "subprocess.run(x, shell=True)",
        "run(x, shell=s)",
        "tempfile.mktemp()", "np.load(path, allow_pickle=True)", "frame.to_pickle(p)", "f(use_safetensors=False)",
        "AutoModel.from_pretrained(p, trust_remote_code=True)", "httpx.get(u, verify=False)",
    ],
)  # fmt: skip
def test_what_is_looked_for_is_found(source):
    assert list(unsafe(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    ["model.eval()", "re.compile(p)", "torch.load(p, weights_only=True)", "yaml.safe_load(f)", "run(x, shell=False)"],
)
def test_what_is_harmless_is_not(source):
    assert not list(unsafe(ast.parse(source)))


WITHOUT_NETWORK = """
import pkgutil, socket, sys

asked = []

def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"):
        asked.append((event, args[1:]))
        raise OSError("no network here")

sys.addaudithook(watch)
import hf_spo, hf_spo.cli
missing = []
for module in pkgutil.walk_packages(hf_spo.__path__, "hf_spo.") if sys.argv[1] == "all" else []:
    if not module.name.endswith("__main__"):
        try:
            __import__(module.name)
        except ImportError as error:
            missing.append((module.name, str(error)))
assert not asked, asked
assert all("needs" in problem or "No module" in problem for _, problem in missing), missing
"""


def run(code: str, *words: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run code in a fresh process whose home, cache and temporary files lie in a folder."""
    for name in ("home", "tmp", "work"):
        (folder / name).mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    own = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**kept, **own, "OMP_NUM_THREADS": "1", **environment}, cwd=folder / "work",
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize("modules", ["first", pytest.param("all", marks=pytest.mark.slow)])
def test_no_import_reaches_for_the_network(modules, tmp_path):
    done = run(WITHOUT_NETWORK, modules, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "work").iterdir())


WATCHED = """
import json, os, sys
from pathlib import Path

written, asked = set(), []
_WRITING = {"os.mkdir": 0, "os.remove": 0, "os.rmdir": 0, "os.truncate": 0, "os.chmod": 0, "os.utime": 0,
            "os.rename": 1, "os.link": 1, "os.symlink": 1, "shutil.rmtree": 0, "shutil.move": 1}

def watch(event, args):
    if event == "open":
        path, mode, flags = args
        writes = any(letter in mode for letter in "wax+") if mode else flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and not isinstance(path, int):
            written.add(os.path.abspath(os.fsdecode(path)))
    elif event in _WRITING:
        path = args[_WRITING[event]]
        if not isinstance(path, int):
            written.add(os.path.abspath(os.fsdecode(path)))
    elif event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec"):
        if args[0] != "fc-list":  # by which matplotlib finds fonts
            asked.append((event, str(args)[:200]))

sys.addaudithook(watch)
from hf_spo.cli import app
report = sys.argv.pop(1)
try:
    app()
finally:
    seen = {"written": sorted(written), "asked": asked}
    with open(report, "w", encoding="utf-8") as file:
        json.dump(seen, file)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data and a recipe to give to commands."""
    folder = tmp_path_factory.mktemp("data")
    rows = "".join(json.dumps(example.to_dict()) + "\n" for example in builders.EXAMPLES)
    (folder / "gold.jsonl").write_text(rows, encoding="utf-8")
    training = {"use_cpu": True, "max_steps": 2, "save_steps": 1, "disable_tqdm": True, "training_curves": False}
    (folder / "recipe.yaml").write_text(json.dumps({"training": training}), encoding="utf-8")
    return folder


COMMANDS = {
    "convert": "convert {data}/gold.jsonl {out}/gold.json --to doccano",
    "extract, a file": "extract --model {model} --input {data}/gold.jsonl --output {out}/found.jsonl",
    "extract, a folder": "extract --model {model} --input {data}/gold.jsonl --output {out}/parts",
    "evaluate": "evaluate --model {model} --data {data}/gold.jsonl --report {out}/report",
    "train": "train {data}/recipe.yaml --encoder {model} --train {data}/gold.jsonl --output {out}/model",
}


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(words, id=name, marks=[] if name == "convert" else pytest.mark.slow)
        for name, words in COMMANDS.items()
    ],
)
def test_commands_write_where_they_are_told_to_and_ask_nobody(command, data, trained_folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    words = command.format(data=data, model=trained_folder, out=out).split()
    done = run(WATCHED, str(tmp_path / "report.json"), *words, folder=tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert any(Path(path).is_relative_to(out) for path in report["written"])
    # In .config, matplotlib keeps what it knows of fonts.
    allowed = (out, tmp_path / "tmp", tmp_path / "home" / ".cache", tmp_path / "home" / ".config", Path("/dev"))
    assert [path for path in report["written"] if not any(Path(path).is_relative_to(one) for one in allowed)] == []
    assert report["asked"] == []
    assert not list((tmp_path / "work").iterdir())
    assert not [path for path in (tmp_path / "tmp").rglob("*") if path.is_file()]
