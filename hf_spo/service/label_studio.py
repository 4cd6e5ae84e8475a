"""Label Studio's ML backend protocol: predictions for the tasks of a project, and trainings on its annotations."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree

from ..data.formats.annotation import label, relation_labels
from ..data.formats.base import ConversionReport, Record
from ..data.formats.label_studio import prediction
from ..model.schema import Mention, Schema, Triple
from .inputs import InputError
from .retraining import Retraining
from .service import Service

_FIELD = "label_config"


@dataclass(frozen=True, slots=True)
class Labelling:
    """What a project's labelling configuration can show of a schema.

    Args:
        column: of a task's data, with the text.
        labels_name, text_name: names of the tags <Labels> and <Text>.
        labels: for each type of the schema, the label that regions get: its alias, if it has one.
        relations: names of relations, qualifiers as predicate@slot.
    """

    column: str
    labels_name: str
    text_name: str
    labels: Mapping[str, str]
    relations: frozenset[str]

    @classmethod
    def read(cls, config: str, schema: Schema) -> "Labelling":
        """Read a configuration in XML.

        Types and predicates of the schema that it does not list are not predicted.

        Raises:
            InputError: it is not XML, lacks a tag, or lists nothing that the schema has.
        """
        root = _parsed(config)
        texts = {tag.get("name"): tag.get("value") or "" for tag in root.iter("Text")}
        types = {label(name) for one in schema for name in (one.subject_type, one.object_type)}
        controls = [tag for tag in root.iter("Labels") if tag.get("toName") in texts]
        if not controls:
            raise InputError(_FIELD, 'has no <Labels toName="…"> for a <Text name="…" value="$…">; add both')
        found = [(tag, shown) for tag in controls if (shown := _labels(tag, types))]
        if not found:
            listed = sorted({one.get("value") or "" for tag in controls for one in tag.iter("Label")})
            raise InputError(_FIELD, f"has the labels {_few(listed)}; the model knows the types {_few(sorted(types))}")
        control, shown = found[0]
        listed = sorted({tag.get("value") or "" for tag in root.iter("Relation")})
        relations = frozenset(listed) & set(relation_labels(schema))
        if not relations:
            known = _few(relation_labels(schema))
            raise InputError(_FIELD, f"has the relations {_few(listed)}, as <Relation value>; the model knows {known}")
        text_name = control.get("toName") or ""
        column = texts[text_name]
        if not column.startswith("$") or len(column) < 2:
            raise InputError(_FIELD, f'<Text value="{column}">: expected the name of a column, such as "$text"')
        return cls(column[1:], control.get("name") or "", text_name, shown, relations)

    def shown(self, triple: Triple) -> Triple | None:
        """Return a triple with the labels of the project; None if the project lacks its predicate or a type."""
        if label(triple.predicate) not in self.relations or not {
            label(triple.subject.type),
            label(triple.object.type),
        } <= set(self.labels):
            return None
        qualifiers = {
            slot: self._named(mention)
            for slot, mention in triple.qualifiers.items()
            if f"{label(triple.predicate)}@{slot}" in self.relations and label(mention.type) in self.labels
        }
        subject, value = self._named(triple.subject), self._named(triple.object)
        return replace(triple, subject=subject, object=value, qualifiers=qualifiers)

    def _named(self, mention: Mention) -> Mention:
        return replace(mention, type=self.labels[label(mention.type)])


class LabelStudioBackend:
    """Answers the requests of Label Studio.

    Args:
        service: computes the predictions.
        retraining: trains on annotations; without it, requests to train are refused.
    """

    def __init__(self, service: Service, retraining: Retraining | None = None) -> None:
        self.service = service
        self.retraining = retraining
        self._configs: dict[str, str] = {}  # by project

    def health(self) -> dict[str, Any]:
        """Say that the backend is alive, and what the last training does."""
        training = {} if self.retraining is None else {"training": self.retraining.status()}
        return {"status": "UP", "model_class": "hf-spo", "model_version": self.service.name, **training}

    def setup(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Check a project's configuration, and keep it.

        Raises:
            InputError: it does not fit the model.
        """
        config = body.get("schema")
        if config:
            self._labelling(config)
            self._configs[_project(body)] = config
        return {"model_version": self.service.name}

    async def predict(
        self, body: Mapping[str, Any], disconnected: Callable[[], Coroutine[Any, Any, None]]
    ) -> dict[str, Any]:
        """Return a prediction for each task.

        Raises:
            InputError: the configuration does not fit the model, or a task lacks its text.
            Exception: see [`Service.extract`].
        """
        labelling = self._labelling(body.get("label_config") or self._configs.get(_project(body)))
        texts = self._texts(body.get("tasks"), labelling.column)
        found = await self.service.extract(texts, None, disconnected)
        results = []
        for text, triples in zip(texts, found, strict=True):
            kept = tuple(shown for triple in triples if (shown := labelling.shown(triple)))
            one = prediction(Record(text, kept), ConversionReport(), self.service.name)
            for item in one["result"]:
                if item["type"] == "labels":
                    item.update(from_name=labelling.labels_name, to_name=labelling.text_name)
            results.append(one)
        return {"results": results}

    def webhook(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Keep an annotation, or start a training; other events are ignored.

        Raises:
            InputError: no recipe was given for a training, or an event lacks its task.
            RefusedError: a training runs, or there are no annotations.
        """
        action = body.get("action")
        if action == "START_TRAINING":
            if self.retraining is None:
                raise InputError("action", "START_TRAINING: start the service with --recipe FILE to train")
            return {"job": self.retraining.start()}
        if action in ("ANNOTATION_CREATED", "ANNOTATION_UPDATED") and self.retraining is not None:
            task, annotation = body.get("task"), body.get("annotation")
            if not isinstance(task, dict) or not isinstance(annotation, dict):
                raise InputError("task", f'{action}: expected the objects "task" and "annotation"; send the payload')
            if not isinstance(task.get("id"), int) or not isinstance(task.get("data"), dict):
                raise InputError("task", f'{action}: expected "id", a whole number, and the object "data"')
            self.retraining.add(task, annotation)
        return {}

    def close(self) -> None:
        """Stop a training."""
        if self.retraining is not None:
            self.retraining.close()

    def _labelling(self, config: Any) -> Labelling:
        if not isinstance(config, str) or not config.strip():
            raise InputError(_FIELD, "is missing; expected the labelling configuration of the project")
        return Labelling.read(config, self.service.extractors.model.schema)

    def _texts(self, tasks: Any, column: str) -> list[str]:
        if not isinstance(tasks, list):
            raise InputError("tasks", "expected a list of tasks")
        limits = self.service.settings
        if len(tasks) > limits.max_texts:
            raise InputError("tasks", f"{len(tasks):,} tasks, expected at most {limits.max_texts:,}")
        texts = []
        for number, task in enumerate(tasks):
            data = task.get("data") if isinstance(task, dict) else None
            text = data.get(column) if isinstance(data, dict) else None
            if not isinstance(text, str):
                raise InputError(f"tasks[{number}].data", f"expected the text in the column {column!r}")
            if len(text) > limits.max_characters:
                raise InputError(
                    f"tasks[{number}].data", f"{len(text):,} characters, expected at most {limits.max_characters:,}"
                )
            texts.append(text)
        return texts


def _parsed(config: str) -> ElementTree.Element:
    if "<!" in config.replace("<!--", ""):
        raise InputError(_FIELD, "has a declaration such as <!DOCTYPE>; labelling configurations have none")
    try:
        return ElementTree.fromstring(config)
    except ElementTree.ParseError as error:
        raise InputError(_FIELD, f"is not XML: {error}") from None


def _labels(control: ElementTree.Element, types: set[str]) -> dict[str, str]:
    """Return the label of each type that a tag <Labels> has, by value or by alias."""
    shown = {}
    for one in control.iter("Label"):
        value, alias = one.get("value") or "", one.get("alias")
        for name in (value, alias):
            if name in types:
                shown[name] = alias or value
    return shown


def _project(body: Mapping[str, Any]) -> str:
    """Return the number of a project, which comes as NUMBER.TIME."""
    return str(body.get("project", "")).partition(".")[0]


def _few(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "") if names else "(none)"
