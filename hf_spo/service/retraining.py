"""Trainings on the annotations of Label Studio: one at a time, each a process of `hf-spo train`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from .errors import RefusedError


class Retraining:
    """Keeps annotations, and trains on them by a recipe.

    Args:
        recipe: of the training; its training texts are replaced by the annotations.
        folder: gets annotations/, and run-1, run-2, … with log, training texts and the model, model-1, model-2, ….
        export: JSON export of Label Studio with further annotations.
        command: that is run, before the arguments of `train`.
    """

    def __init__(
        self,
        recipe: Path,
        folder: Path,
        export: Path | None = None,
        command: tuple[str, ...] = (sys.executable, "-m", "hf_spo"),
    ) -> None:
        self.recipe, self.folder, self.export, self.command = recipe, folder, export, command
        self._process: subprocess.Popen[bytes] | None = None
        self._run: Path | None = None

    def add(self, task: dict[str, Any], annotation: dict[str, Any]) -> None:
        """Keep an annotation; it replaces an earlier state of the same one."""
        path = self.folder / "annotations" / f"{task['id']:d}.json"  # a whole number: no name leaves the folder
        path.parent.mkdir(parents=True, exist_ok=True)
        earlier = json.loads(path.read_text(encoding="utf-8"))["annotations"] if path.exists() else []
        others = [one for one in earlier if one.get("id") != annotation.get("id")]
        kept = {"id": task["id"], "data": task["data"], "annotations": [*others, annotation]}
        new = path.with_suffix(".new")
        new.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        new.replace(path)

    def start(self) -> str:
        """Start a training; return its name.

        Raises:
            RefusedError: one runs, or there are no annotations.
        """
        if self._process is not None and self._process.poll() is None:
            raise RefusedError(409, "training", f"{self.status()['run']} is training; wait until it has ended")
        tasks = self._tasks()
        if not tasks:
            raise RefusedError(409, "no_annotations", "there are no annotations; annotate, or give --annotations FILE")
        number = 1 + max(
            (int(path.name[4:]) for path in self.folder.glob("run-*") if path.name[4:].isdecimal()), default=0
        )
        self._run = self.folder / f"run-{number}"
        self._run.mkdir(parents=True)
        train = self._run / "annotations.json"
        train.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
        # Label Studio tells models apart by their version, which is the name of the folder.
        output = self._run / f"model-{number}"
        arguments = ["train", str(self.recipe), "--train", str(train), "--output", str(output)]
        with (self._run / "log.txt").open("wb") as log:
            self._process = subprocess.Popen([*self.command, *arguments], stdout=log, stderr=subprocess.STDOUT)
        return self._run.name

    def status(self) -> dict[str, Any]:
        """Return the last run with its state: none, running, done or failed."""
        if self._process is None or self._run is None:
            return {"state": "none"}
        code = self._process.poll()
        state = "running" if code is None else "failed" if code else "done"
        return {"state": state, "run": self._run.name}

    def close(self) -> None:
        """Stop a training that runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def _tasks(self) -> list[dict[str, Any]]:
        exported = [] if self.export is None else json.loads(self.export.read_text(encoding="utf-8"))
        tasks = {str(task.get("id", f"#{number}")): task for number, task in enumerate(exported)}
        for path in sorted((self.folder / "annotations").glob("*.json")):
            tasks[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        return list(tasks.values())
