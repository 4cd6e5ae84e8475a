import pickle
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import builders

pytest.importorskip("spacy")

import huggingface_hub
import spacy
import torch
from spacy.tokens import Doc, DocBin

from hf_spo import packaged
from hf_spo.integrations.spacy import TripleComponent, make_component
from hf_spo.model.extraction import TextTooLongError
from hf_spo.model.modeling_ensemble import SpoEnsemble

TEXTS = [item.text for item in builders.EXAMPLES]
GOLD = [builders.facts(item.triples) for item in builders.EXAMPLES]
LONG = "今天天气很好" * 20


def blank(folder, **config):
    nlp = spacy.blank("zh")
    nlp.add_pipe("hf_spo", config={"model": str(folder), "device": "cpu", **config})
    return nlp


@pytest.fixture(scope="module")
def nlp(trained_folder):
    return blank(trained_folder)


@pytest.fixture(scope="module")
def exported(exported_folder):
    nlp = spacy.blank("zh")
    nlp.add_pipe("hf_spo", config={"model": exported_folder})
    return nlp


def found(docs):
    return [builders.facts(doc._.triples) for doc in docs]


def test_the_entry_point_is_the_factory():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    value = project["entry-points"]["spacy_factories"]["hf_spo"]
    assert EntryPoint("hf_spo", value, "spacy_factories").load() is make_component


def test_without_spacy_the_extra_is_named():
    code = "import sys; sys.modules['spacy'] = None; import hf_spo.integrations.spacy"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "ImportError: the component hf_spo needs spaCy: pip install 'hf-spo[spacy]'" in done.stderr


@pytest.mark.smoke
class TestTriples:
    def test_one_text(self, nlp):
        assert found([nlp(TEXTS[0])]) == GOLD[:1]
        assert set(nlp(TEXTS[0])._.triples[0]) == {"score", "subject", "predicate", "object", "qualifiers"}

    def test_a_stream_in_order_with_its_contexts(self, nlp):
        assert found(nlp.pipe(iter(TEXTS), batch_size=3)) == GOLD
        pairs = list(nlp.pipe(zip(TEXTS, range(8), strict=True), as_tuples=True))
        assert [number for _, number in pairs] == list(range(8))

    def test_a_stream_is_read_a_batch_at_a_time(self, nlp):
        read = []

        def texts():
            for text in TEXTS:
                read.append(text)
                yield text

        next(nlp.pipe(texts(), batch_size=2))
        assert len(read) == 2

    @pytest.mark.parametrize("language", ["zh", "en", "xx"])
    def test_offsets_are_characters_of_the_doc_whatever_its_tokens(self, trained_folder, language):
        nlp = spacy.blank(language)
        nlp.add_pipe("hf_spo", config={"model": trained_folder, "device": "cpu"})
        text = "  😀👨‍👩‍👧 Zoë e\u0301\n" + TEXTS[0] + "。陈立言出生于苏州,歌曲《晚风》由白露演唱 🎵"
        doc = nlp(text)
        assert doc.text == text
        assert doc._.triples
        for triple in doc._.triples:
            for mention in (triple["subject"], triple["object"]):
                assert doc.text[mention["start"] : mention["end"]] == mention["text"]

    def test_texts_without_anything_to_find(self, nlp):
        assert [doc._.triples for doc in nlp.pipe(["", " \n", "😀", "Anna"])] == [[], [], [], []]

    def test_a_ready_doc_is_read_by_its_text(self, nlp):
        words = [*TEXTS[0]]
        assert found([nlp(Doc(nlp.vocab, words, [False] * len(words)))]) == GOLD[:1]

    def test_triples_outlive_the_doc(self, nlp):
        packed = DocBin(docs=nlp.pipe(TEXTS), store_user_data=True).to_bytes()
        assert found(DocBin().from_bytes(packed).get_docs(spacy.blank("zh").vocab)) == GOLD


class TestConfig:
    def test_parameters_reach_the_extraction(self, trained_folder):
        assert len(blank(trained_folder, top_k=1)(TEXTS[2])._.triples) == 1
        assert blank(trained_folder, object_end_threshold=1.0)(TEXTS[0])._.triples == []

    def test_the_dtype(self, trained_folder):
        for dtype, expected in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
            component = blank(trained_folder, dtype=dtype).get_pipe("hf_spo")
            assert component.model.load().model.dtype == expected

    def test_by_default_the_fastest_dtype(self, trained_folder, monkeypatch):
        monkeypatch.setattr("hf_spo.loading.checked.auto_dtype", lambda device: torch.float16)
        component = blank(trained_folder).get_pipe("hf_spo")
        assert component.model.load().model.dtype == torch.float16

    def test_a_packaged_model_by_its_name_unless_there_is_such_a_folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        component = spacy.blank("zh").add_pipe("hf_spo", config={"model": "lite"})
        monkeypatch.setattr("hf_spo.integrations.component_model.load", lambda source, **_: source)
        assert component.model.load() == str(packaged("lite"))
        Path("base").mkdir()
        assert spacy.blank("zh").add_pipe("hf_spo").model.load() == "base"

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            ({"treshold": 0.5}, "treshold"),  # the words are those of spaCy's version
            ({"dtype": "float8"}, "float8"),
            ({"score_threshold": 1.5}, "score_threshold=1.5: expected a number"),
        ],
    )
    def test_what_is_wrong_is_refused_when_the_component_is_added(self, config, message):
        with pytest.raises(ValueError, match=r"[\s\S]*") as error:
            spacy.blank("zh").add_pipe("hf_spo", config=config)
        assert message in str(error.value)

    def test_a_model_that_is_not_there(self, tmp_path):
        nlp = blank(tmp_path / "none")
        for use in (nlp.initialize, lambda: list(nlp.pipe(TEXTS))):
            with pytest.raises((OSError, ValueError), match="none"):
                use()

    def test_initialize_loads_it(self, trained_folder, monkeypatch):
        nlp = blank(trained_folder)
        nlp.initialize()
        monkeypatch.setattr("hf_spo.integrations.component_model.load", None)
        assert found([nlp(TEXTS[0])]) == GOLD[:1]


class TestErrors:
    def test_they_are_raised(self, trained_folder):
        nlp = blank(trained_folder, on_long="error")
        with pytest.raises(TextTooLongError):
            nlp(LONG)
        with pytest.raises(TextTooLongError):
            list(nlp.pipe([*TEXTS, LONG]))

    def test_or_handed_to_the_handler_with_the_one_doc_that_fails(self, trained_folder):
        nlp = blank(trained_folder, on_long="error")
        failed = []
        nlp.set_error_handler(lambda name, component, docs, error: failed.append((name, docs[0].text, type(error))))
        assert found(nlp.pipe([*TEXTS[:3], LONG, *TEXTS[3:]])) == GOLD
        assert failed == [("hf_spo", LONG, TextTooLongError)]


class TestProcesses:
    # Said by Python of every fork of a process with threads; spaCy chooses how processes start.
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    @pytest.mark.parametrize("kind", ["nlp", "exported"])
    def test_each_loads_its_model(self, kind, request):
        nlp = request.getfixturevalue(kind)
        assert found([nlp(TEXTS[0])]) == GOLD[:1]  # loaded and used here already
        assert found(nlp.pipe(TEXTS, n_process=2, batch_size=2)) == GOLD

    def test_one_that_is_sent_loads_its_model_there(self, exported, trained_folder):
        exported(TEXTS[0])
        component = pickle.loads(pickle.dumps(exported.get_pipe("hf_spo")))
        assert builders.facts(component(spacy.blank("zh").make_doc(TEXTS[0]))._.triples) == GOLD[0]

    def test_torch_computes_with_one_thread_in_a_process_of_several(self, trained_folder, monkeypatch):
        threads = []
        monkeypatch.setattr(torch, "set_num_threads", threads.append)
        blank(trained_folder)(TEXTS[0])
        assert threads == []
        monkeypatch.setattr("hf_spo.integrations.component_model.parent_process", lambda: SimpleNamespace())
        blank(trained_folder)(TEXTS[0])
        assert threads == [1]


class TestExport:
    def test_it_gives_what_the_model_gives(self, exported):
        assert found(exported.pipe(TEXTS)) == GOLD

    @pytest.mark.parametrize("config", [{"device": "mps"}, {"dtype": "float32"}])
    def test_torchs_settings_are_refused(self, exported_folder, config):
        nlp = spacy.blank("zh")
        nlp.add_pipe("hf_spo", config={"model": exported_folder, **config})
        with pytest.raises(ValueError, match="ONNX export"):
            nlp(TEXTS[0])

    def test_it_needs_no_torch(self, exported_folder):
        code = f"""
import sys
for name in ("torch", "transformers"):
    sys.modules[name] = None  # as if it were not installed
import spacy, hf_spo.integrations.spacy
nlp = spacy.blank("zh")
nlp.add_pipe("hf_spo", config={{"model": {exported_folder!r}}})
nlp = spacy.blank("zh", config=nlp.config).from_bytes(nlp.to_bytes())
print(len(nlp({TEXTS[0]!r})._.triples))
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
        assert done.stdout == "3\n", done.stderr


class TestSaved:
    @pytest.mark.parametrize("kind", ["trained_folder", "exported_folder"])
    def test_a_pipeline_on_disk_needs_the_model_no_more(self, kind, request, tmp_path):
        origin = Path(shutil.copytree(request.getfixturevalue(kind), tmp_path / "origin"))
        (origin / "training_args.bin").write_bytes(b"pickled")
        (origin / "checkpoint-7").mkdir()
        config = {"model": str(origin), "top_k": 2}
        nlp = spacy.blank("zh")
        nlp.add_pipe("hf_spo", name="facts", config=config)
        nlp.to_disk(tmp_path / "pipeline")
        copied = {path.name for path in (tmp_path / "pipeline" / "facts" / "model").iterdir()}
        assert copied == {path.name for path in origin.iterdir()} - {"training_args.bin", "checkpoint-7"}
        expected = nlp(TEXTS[2])._.triples
        shutil.rmtree(origin)
        loaded = spacy.load(tmp_path / "pipeline")
        assert loaded(TEXTS[2])._.triples == expected
        assert len(expected) == 2
        # Over itself, and elsewhere.
        loaded.to_disk(tmp_path / "pipeline")
        loaded.to_disk(tmp_path / "other")
        assert spacy.load(tmp_path / "other")(TEXTS[2])._.triples == expected

    def test_or_names_it_if_the_component_is_left_out(self, nlp, tmp_path):
        nlp.to_disk(tmp_path, exclude=["hf_spo"])
        assert not (tmp_path / "hf_spo").exists()
        assert found([spacy.load(tmp_path)(TEXTS[0])]) == GOLD[:1]

    def test_another_model_takes_the_place_of_the_one_before(self, exported, nlp, tmp_path):
        exported.to_disk(tmp_path)
        nlp.to_disk(tmp_path)
        assert not list((tmp_path / "hf_spo" / "model").glob("*.onnx"))
        assert found([spacy.load(tmp_path)(TEXTS[0])]) == GOLD[:1]

    def test_bytes(self, nlp, tmp_path):
        other = blank("nowhere").from_bytes(nlp.to_bytes())
        assert found(other.pipe(TEXTS)) == GOLD
        again = blank("nowhere").from_bytes(other.to_bytes())
        again.to_disk(tmp_path)
        assert found(spacy.load(tmp_path).pipe(TEXTS)) == GOLD

    def test_bytes_without_the_component(self, nlp, trained_folder):
        other = blank(trained_folder).from_bytes(nlp.to_bytes(exclude=["hf_spo"]))
        assert found([other(TEXTS[0])]) == GOLD[:1]

    def test_an_ensemble(self, trained_folder, tmp_path):
        SpoEnsemble.from_models([trained_folder, trained_folder]).save_pretrained(tmp_path / "ensemble")
        blank(tmp_path / "ensemble").to_disk(tmp_path / "pipeline")
        shutil.rmtree(tmp_path / "ensemble")
        assert found(spacy.load(tmp_path / "pipeline").pipe(TEXTS)) == GOLD

    def test_a_model_from_the_hub(self, trained_folder, tmp_path, monkeypatch):
        monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name: {"someone/model": trained_folder}[name])
        blank("someone/model").to_disk(tmp_path)
        assert found([spacy.load(tmp_path)(TEXTS[0])]) == GOLD[:1]

    def test_the_component_alone(self, trained_folder, tmp_path):
        component = blank(trained_folder).get_pipe("hf_spo")
        assert isinstance(component, TripleComponent)
        component.to_disk(tmp_path, exclude=["model"])
        assert list(tmp_path.iterdir()) == []
        assert component.from_disk(tmp_path) is component


class TestSpans:
    def test_the_mentions_are_spans_with_their_types(self, nlp):
        for doc in (nlp(TEXTS[2]), *nlp.pipe(TEXTS[2:3])):
            spans = [(span.text, span.start_char, span.label_) for span in doc.spans["hf_spo"]]
            assert spans == [
                ("海边", 1, "影视作品"), ("雪国", 6, "影视作品"), ("何雨晴", 11, "人物"), ("周一鸣", 15, "人物"),
            ]  # fmt: skip
            assert not doc.ents
        assert len(nlp("今天天气很好").spans["hf_spo"]) == 0

    def test_as_entities_on_request_beside_those_that_are_there(self, trained_folder):
        nlp = blank(trained_folder, annotate_ents=True, spans_key=None)
        nlp.add_pipe("entity_ruler", first=True).add_patterns([{"label": "NAME", "pattern": "何雨晴"}])
        doc = nlp(TEXTS[2])
        assert [(ent.text, ent.label_) for ent in doc.ents] == [
            ("海边", "影视作品"), ("雪国", "影视作品"), ("何雨晴", "NAME"), ("周一鸣", "人物"),
        ]  # fmt: skip
        assert not doc.spans

    def test_of_mentions_that_overlap_the_longest_is_an_entity(self, trained_folder):
        doc = blank(trained_folder, annotate_ents=True)(TEXTS[4])
        assert [span.text for span in doc.spans["hf_spo"]] == ["鲁迅", "鲁迅自传"]
        assert [ent.text for ent in doc.ents] == ["鲁迅自传"]

    def test_tokens_that_a_mention_touches_belong_to_its_span(self, trained_folder):
        nlp = spacy.blank("xx")  # one token between spaces
        nlp.add_pipe("hf_spo", config={"model": trained_folder, "device": "cpu"})
        doc = nlp(TEXTS[4])
        assert all(span.text in TEXTS[4] for span in doc.spans["hf_spo"])
        assert len(doc.spans["hf_spo"]) == 2
