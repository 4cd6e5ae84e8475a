"""One column of the matrix: what a transformers user tries first, in a process with hf_spo or without it.

    python -I matrix_column.py {plugin,no-plugin} CELLS < SOURCES

Without the plugin, models come with their own code and are trusted; with it nobody is asked for trust.
"""

import importlib.abc
import json
import sys
from pathlib import Path
from typing import Any


class Absent(importlib.abc.MetaPathFinder):
    """Makes hf_spo a package that is not installed."""

    def find_spec(self, name: str, *_: Any) -> None:
        """Find nothing; of hf_spo, say so."""
        if name.partition(".")[0] == "hf_spo":
            raise ModuleNotFoundError("No module named 'hf_spo'", name="hf_spo")


def without_hf_spo() -> None:
    """Take hf_spo out of this process, and make sure that it is out."""
    sys.meta_path.insert(0, Absent())
    assert "hf_spo" not in sys.modules
    try:
        import hf_spo
    except ModuleNotFoundError:
        return
    raise AssertionError(f"{hf_spo} is here")


def origin(thing: object) -> str:
    """Return the package that a thing's class is from."""
    return type(thing).__module__.partition(".")[0]


def cells(source: str, expected: dict[str, Any], trust: dict[str, bool]) -> dict[str, Any]:
    """Load a model in every way; return what each gave."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer, pipeline

    config = AutoConfig.from_pretrained(source, **trust)
    model = AutoModel.from_pretrained(source, **trust).eval()
    tokenizer = AutoTokenizer.from_pretrained(source, **trust)
    extract = pipeline("triple-extraction", model=source, **trust)
    triples = extract(expected["texts"])
    with torch.inference_mode():
        said = model(**{name: torch.tensor(value) for name, value in expected["inputs"].items()})
    return {
        "AutoConfig": [origin(config), len(config.schema)],
        "AutoModel": [origin(model), said.subject_probs.tolist(), said.object_probs.tolist()],
        "AutoTokenizer": tokenizer(expected["texts"][0])["input_ids"],
        "pipeline": [origin(extract), triples],
        "parts": [origin(extract.model), origin(extract.model.encoder.config)],
    }


def more_cells(source: str, texts: list[str], folder: Path) -> dict[str, Any]:
    """Try the rest without the plugin: the task told from the config, saving anew, pictures and tables."""
    from transformers import AutoModel, AutoTokenizer, pipeline

    inferred = pipeline(model=source, trust_remote_code=True)
    triples = inferred(texts)
    refused = {}
    for way in ("render", "to_arrow", "to_pandas"):
        try:
            getattr(triples[0], way)()
        except ImportError as error:
            refused[way] = str(error)
    assert triples[0]._repr_html_() is None
    inferred.save_pretrained(str(folder / "pipeline"))
    AutoModel.from_pretrained(source, trust_remote_code=True).save_pretrained(folder / "model")
    AutoTokenizer.from_pretrained(source, trust_remote_code=True).save_pretrained(folder / "model")
    again = {
        name: pipeline("triple-extraction", model=str(folder / name), trust_remote_code=True)
        for name in ("pipeline", "model")
    }
    configs = {name: json.loads((folder / name / "config.json").read_text(encoding="utf-8")) for name in again}
    return {
        "task inferred": [inferred.task, triples],
        "needs hf_spo": refused,
        "saved anew": {name: extract(texts) for name, extract in again.items()},
        "versions": {name: config["hf_spo_version"] for name, config in configs.items()},
        "files": {name: sorted(path.name for path in (folder / name).glob("*.py")) for name in again},
    }


def main() -> None:
    """Read sources, load them, write what came out."""
    plugin = sys.argv[1] == "plugin"
    if plugin:
        import hf_spo  # noqa: F401  # registers
    else:
        without_hf_spo()
    found: dict[str, Any] = {}
    for wanted in json.load(sys.stdin):
        name, source, expected = wanted["name"], wanted["source"], wanted["expected"]
        try:
            found[name] = cells(source, expected, {} if plugin else {"trust_remote_code": True})
            if wanted.get("more"):
                found[name] |= more_cells(source, expected["texts"], Path(wanted["more"]))
        except Exception as error:  # any failure is a cell's content
            found[name] = {"error": f"{type(error).__name__}: {error}"}
    assert plugin or "hf_spo" not in sys.modules
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
