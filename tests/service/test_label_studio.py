import asyncio
import base64
import json
import sys
import time
from contextlib import asynccontextmanager

import httpx
import pytest

from hf_spo.data.formats.label_studio import labelling_config
from hf_spo.model.schema import Mention, Relation, Schema, Span, Triple
from hf_spo.service.application import make_app
from hf_spo.service.inputs import InputError
from hf_spo.service.label_studio import Labelling, LabelStudioBackend
from hf_spo.service.retraining import Retraining
from hf_spo.service.service_settings import ServiceSettings
from tests.service.samples import FakeModel, make

SCHEMA = Schema(
    [
        Relation("影视作品", "票房", "Number"),
        Relation("影视作品", "票房", "地点", "inArea"),
        Relation("影视作品", "主演", "人物"),
    ]
)
CONFIG = """<View>
  <Relations><Relation value="主演"/><Relation value="票房"/><Relation value="票房@inArea"/></Relations>
  <Labels name="kinds" toName="article">
    <Label value="影视作品"/><Label value="人物"/><Label value="Amount" alias="Number"/><Label value="地点"/>
  </Labels>
  <Text name="article" value="$body"/>
</View>"""
TEXT = "《雪国》在北京的票房是三千万，白露主演"


class FilmModel(FakeModel):
    """Find the same facts of a film in each text."""

    schema = SCHEMA

    def find(self, text):
        def mention(words, kind):
            start = text.index(words)
            return Mention(words, Span(start, start + len(words)), kind)

        film = mention("雪国", "影视作品")
        place = {"inArea": mention("北京", "地点")}
        return [
            Triple(film, "票房", mention("三千万", "Number"), place, 0.9),
            Triple(film, "主演", mention("白露", "人物"), {}, 0.6),
        ]


@asynccontextmanager
async def backend(retraining=None, token=None, **limits):
    running = make(FilmModel(), ServiceSettings(**limits))
    app = make_app(running.service, token, label_studio=LabelStudioBackend(running.service, retraining))
    running.service.batcher.start()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client
    running.service.batcher.close()


def ask(*requests, **options):
    """Post (path, body) after each other; return the answers."""

    async def run():
        async with backend(**options) as client:
            return [await client.post(path, json=body) for path, body in requests]

    return asyncio.run(run())


def predict(config=CONFIG, tasks=({"id": 1, "data": {"body": TEXT}},), **options):
    (answer,) = ask(("/predict", {"tasks": list(tasks), "project": "1.2", "label_config": config}), **options)
    return answer


def regions(result):
    return {item["id"]: (item["value"]["labels"], item["value"]["text"]) for item in result if item["type"] == "labels"}


def relations(result):
    named = regions(result)
    return {
        (named[item["from_id"]][1], *item["labels"], named[item["to_id"]][1])
        for item in result
        if item["type"] == "relation"
    }


ALL = {("雪国", "票房", "三千万"), ("三千万", "票房@inArea", "北京"), ("雪国", "主演", "白露")}


class TestPredict:
    def test_regions_and_relations_by_the_names_of_the_project(self):
        answer = predict()
        assert answer.status_code == 200
        (one,) = answer.json()["results"]
        assert one["model_version"] == "fake"
        assert 0 < one["score"] <= 1
        assert relations(one["result"]) == ALL
        assert (["Number"], "三千万") in regions(one["result"]).values()  # the alias, which Label Studio stores
        for item in one["result"]:
            if item["type"] == "labels":
                assert (item["from_name"], item["to_name"]) == ("kinds", "article")
                assert TEXT[item["value"]["start"] : item["value"]["end"]] == item["value"]["text"]

    def test_what_the_project_does_not_list_is_left_out(self):
        less = CONFIG.replace('<Relation value="票房@inArea"/>', "").replace('<Relation value="主演"/>', "")
        (one,) = predict(less).json()["results"]
        assert relations(one["result"]) == {("雪国", "票房", "三千万")}
        assert len(regions(one["result"])) == 2

    def test_the_configuration_of_setup(self):
        body = {"project": "7.1", "schema": CONFIG, "hostname": "http://localhost:8080", "access_token": "x"}
        setup, known, unknown = ask(
            ("/setup", body),
            ("/predict", {"project": "7.2", "tasks": [{"data": {"body": TEXT}}]}),
            ("/predict", {"project": "8.2", "tasks": [{"data": {"body": TEXT}}]}),
        )
        assert setup.json() == {"model_version": "fake"}
        assert relations(known.json()["results"][0]["result"]) == ALL
        assert "label_config" in unknown.json()["error"]["message"]

    def test_the_written_configuration_fits(self):
        tasks = [{"data": {"text": TEXT}}]
        (one,) = predict(labelling_config(SCHEMA), tasks).json()["results"]
        assert relations(one["result"]) == ALL

    def test_the_sdk_accepts_the_prediction(self):
        interface = pytest.importorskip("label_studio_sdk.label_interface")
        (one,) = predict().json()["results"]
        assert interface.LabelInterface(CONFIG).validate_prediction(one, return_errors=True) == []
        one["result"][0]["from_name"] = "other"
        assert interface.LabelInterface(CONFIG).validate_prediction(one, return_errors=True) != []

    @pytest.mark.parametrize(
        ("tasks", "field"),
        [
            ([{"data": {"text": TEXT}}], "tasks[0].data"),
            (["x"], "tasks[0].data"),
            ([{"data": {"body": 5}}], "tasks[0]"),
        ],
    )
    def test_tasks_without_the_text(self, tasks, field):
        answer = predict(tasks=tasks)
        assert answer.status_code == 422
        assert field in answer.json()["error"]["message"]

    def test_limits(self):
        assert predict(max_texts=1, tasks=[{"data": {"body": TEXT}}] * 2).status_code == 422
        assert predict(max_characters=5).status_code == 422


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("<View>", "is not XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><View/>', "declaration"),
        ('<View><Text name="article" value="$body"/></View>', "has no <Labels"),
        (
            CONFIG.replace("影视作品", "Film").replace("人物", "a").replace("Number", "b").replace("地点", "c"),
            "knows the",
        ),
        (CONFIG.replace("<Relation ", "<Other "), "has the relations (none)"),
        (CONFIG.replace("$body", "body"), 'such as "$text"'),
    ],
)
def test_configurations_that_do_not_fit(config, message):
    with pytest.raises(InputError, match="label_config") as error:
        Labelling.read(config, SCHEMA)
    assert message in str(error.value)
    (answer,) = ask(("/setup", {"project": "1", "schema": config}))
    assert answer.status_code == 422


def test_the_token_as_a_password():
    async def run():
        async with backend(token="secret") as client:
            body = {"project": "1", "schema": CONFIG}
            basic = [
                "Basic " + base64.b64encode(pair).decode() for pair in (b"label-studio:secret", b"label-studio:other")
            ]
            headers = [{}, *({"Authorization": one} for one in (*basic, "Basic ???", "Bearer secret"))]
            return [(await client.post("/setup", json=body, headers=one)).status_code for one in headers]

    assert asyncio.run(run()) == [401, 200, 401, 401, 200]


SCRIPT = """
import json, pathlib, sys
command, recipe, _, train, _, output = sys.argv[1:]
rows = json.loads(pathlib.Path(train).read_text(encoding="utf-8"))
assert command == "train" and pathlib.Path(recipe).is_file()
print(len(rows), "tasks for", pathlib.Path(output).name)
if any(row["data"]["body"] == "wait" for row in rows):
    import time
    time.sleep(60)
sys.exit(any(row["data"]["body"] == "fail" for row in rows))
"""


class TestTraining:
    @pytest.fixture
    def retraining(self, tmp_path):
        (tmp_path / "recipe.yaml").write_text("train: other.jsonl\n", encoding="utf-8")
        (tmp_path / "train.py").write_text(SCRIPT, encoding="utf-8")
        command = (sys.executable, str(tmp_path / "train.py"))
        made = Retraining(tmp_path / "recipe.yaml", tmp_path / "runs", command=command)
        yield made
        made.close()

    def event(self, action="ANNOTATION_CREATED", text=TEXT, task=1, annotation=5, **more):
        return "/webhook", {
            "action": action,
            "task": {"id": task, "data": {"body": text}},
            "annotation": {"id": annotation, "result": [], **more},
        }

    def ended(self, retraining):
        while retraining.status()["state"] == "running":
            time.sleep(0.02)
        return retraining.status()

    def test_from_annotations_to_a_run(self, retraining):
        events = [
            self.event(),
            self.event("ANNOTATION_UPDATED", lead_time=3),
            self.event(task=2),
            self.event("TASKS_CREATED"),
        ]
        *_, start = ask(
            *events, ("/webhook", {"action": "START_TRAINING", "project": {"id": 1}}), retraining=retraining
        )
        assert start.json() == {"job": "run-1"}
        assert self.ended(retraining) == {"state": "done", "run": "run-1"}
        run = retraining.folder / "run-1"
        first, second = json.loads((run / "annotations.json").read_text(encoding="utf-8"))
        assert first["annotations"] == [{"id": 5, "result": [], "lead_time": 3}]
        assert second["id"] == 2
        assert (run / "log.txt").read_text(encoding="utf-8").strip() == "2 tasks for model-1"

    def test_one_at_a_time(self, retraining):
        start = ("/webhook", {"action": "START_TRAINING"})
        _, first, second = ask(self.event(text="wait"), start, start, retraining=retraining)
        assert (first.status_code, second.status_code) == (200, 409)
        assert "run-1 is training" in second.json()["error"]["message"]
        retraining.close()
        assert retraining.status()["state"] == "failed"

    def test_the_state_is_in_health(self, retraining):
        async def run():
            async with backend(retraining) as client:
                before = (await client.get("/health")).json()
                await client.post("/webhook", json=self.event(text="fail")[1])
                await client.post("/webhook", json={"action": "START_TRAINING"})
                self.ended(retraining)
                return before, (await client.get("/health")).json()

        before, after = asyncio.run(run())
        assert (before["status"], before["training"]) == ("UP", {"state": "none"})
        assert after["training"] == {"state": "failed", "run": "run-1"}

    def test_an_export_is_trained_on_too(self, retraining):
        retraining.export = retraining.recipe.with_name("export.json")
        retraining.export.write_text(
            json.dumps([{"id": 9, "data": {"body": TEXT}, "annotations": []}]), encoding="utf-8"
        )
        ask(self.event(), ("/webhook", {"action": "START_TRAINING"}), retraining=retraining)
        self.ended(retraining)
        rows = json.loads((retraining.folder / "run-1" / "annotations.json").read_text(encoding="utf-8"))
        assert {row["id"] for row in rows} == {1, 9}

    def test_what_cannot_start(self, retraining):
        start = ("/webhook", {"action": "START_TRAINING"})
        (without,) = ask(start, retraining=retraining)
        assert (without.status_code, without.json()["error"]["code"]) == (409, "no_annotations")
        (none,) = ask(start)
        assert "--recipe FILE" in none.json()["error"]["message"]
        wrong = ask(("/webhook", {"action": "ANNOTATION_CREATED"}), self.event(task="../x"), retraining=retraining)
        assert [answer.status_code for answer in wrong] == [422, 422]
