"""pipeline("triple-extraction"): what goes in, what comes out, and what is refused."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from datasets import Dataset as HubDataset
from torch.utils.data import Dataset, IterableDataset
from transformers import AutoModel, pipeline
from transformers.pipelines.pt_utils import KeyDataset

from hf_spo import SpoForTripleExtraction, TripleExtractionPipeline
from hf_spo.model.alignment import pad
from hf_spo.model.extraction import TextTooLongError
from tests import builders

pytestmark = pytest.mark.smoke

TEXTS = [item.text for item in builders.EXAMPLES]
GOLD = [builders.facts(item.triples) for item in builders.EXAMPLES]


@pytest.fixture(scope="module")
def extract(trained_folder):
    return pipeline("triple-extraction", model=trained_folder, device="cpu")


@pytest.fixture(scope="module")
def bare_encoder(tiny_tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare")
    AutoModel.from_config(builders.encoder_config("bert", len(tiny_tokenizer))).save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return str(folder)


class MapStyle(Dataset):
    def __len__(self) -> int:
        return len(TEXTS)

    def __getitem__(self, index: int) -> str:
        return TEXTS[index]


class Stream(IterableDataset):
    def __iter__(self) -> Iterator[str]:
        yield from TEXTS


def rows() -> HubDataset:
    return HubDataset.from_list([{"text": text, "number": index} for index, text in enumerate(TEXTS)])


class TestInput:
    def test_one_text_gives_its_triples(self, extract):
        for text, gold in zip(TEXTS, GOLD, strict=True):
            triples = extract(text)
            assert isinstance(triples, list)
            assert triples.text == text
            assert builders.facts(triples) == gold

    @pytest.mark.parametrize("kind", [list, tuple])
    def test_several_texts_give_a_list_each_in_order(self, extract, kind):
        results = extract(kind(TEXTS))
        assert type(results) is list
        assert [builders.facts(triples) for triples in results] == GOLD

    @pytest.mark.parametrize(
        "stream",
        [
            lambda: (text for text in TEXTS),
            lambda: iter(TEXTS),
            MapStyle,
            Stream,
            lambda: KeyDataset(rows(), "text"),
            lambda: KeyDataset(MapStyleRows(), "text"),
            lambda: rows()["text"],
            lambda: (row["text"] for row in rows().to_iterable_dataset()),
            lambda: map(str, TEXTS),
        ],
        ids=["generator", "iterator", "Dataset", "IterableDataset", "KeyDataset", "KeyDataset of a torch Dataset",
             "column", "streamed rows", "map"],
    )  # fmt: skip
    def test_a_stream_gives_a_stream_in_order(self, extract, stream):
        results = extract(stream(), batch_size=3)
        assert iter(results) is results
        assert [builders.facts(triples) for triples in results] == GOLD

    @pytest.mark.parametrize(
        "column",
        [
            lambda: np.array(TEXTS),
            lambda: pd.Series(TEXTS, dtype="string"),
            lambda: pd.Index(TEXTS),
            lambda: pa.chunked_array([TEXTS[:3], TEXTS[3:]]),
        ],
        ids=["array", "Series", "Index", "Arrow"],
    )
    def test_a_column_in_memory_gives_a_list(self, extract, column):
        results = extract(column(), batch_size=3)
        assert type(results) is list
        assert [builders.facts(triples) for triples in results] == GOLD

    def test_a_column_of_a_frame_with_any_index(self, extract):
        frame = pd.DataFrame({"text": TEXTS}, index=[7, 7, *"abcdef"])
        frame["triples"] = extract(frame["text"])
        assert [builders.facts(triples) for triples in frame["triples"]] == GOLD
        assert builders.facts(extract(np.array(TEXTS[0]))) == GOLD[0]

    def test_a_stream_has_the_length_of_its_texts(self, extract):
        for texts in (KeyDataset(rows(), "text"), rows()["text"], MapStyle(), dict.fromkeys(TEXTS).keys()):
            results = extract(texts)
            assert len(results) == len(TEXTS)
            assert builders.facts(next(results)) == GOLD[0]
        for texts in (iter(TEXTS), Stream()):
            with pytest.raises(TypeError, match="has no len"):
                len(extract(texts))

    @pytest.mark.parametrize(
        ("inputs", "way"),
        [
            (pd.DataFrame({"text": TEXTS}), r'DataFrame: .*of a table pass one column, frame\["text"\]'),
            (Path("texts.txt"), r"PosixPath\('texts.txt'\); read the file, path\.read_text"),
            (TEXTS[0].encode(), r'; decode it, data\.decode\("utf-8"\)'),
            ({"text": TEXTS[0]}, r'; pass row\["text"\]'),
            ([TEXTS[:2]], "got list: .*; pass all texts in one list, without lists inside"),
            (pd.Series([TEXTS[0], None]), r'got .*; replace missing texts by "", frame\["text"\]\.fillna\(""\)'),
            (KeyDataset(rows().to_iterable_dataset(), "text"), r'; .* pass \(row\["text"\] for row in dataset\)'),
        ],
        ids=["DataFrame", "Path", "bytes", "dict", "nested", "missing", "stream without a length"],
    )
    def test_what_is_no_text_is_refused_with_what_to_pass(self, extract, inputs, way):
        with pytest.raises(TypeError, match=rf"expected a text \(str\).*{way}"):
            extract(inputs)

    def test_a_generator_is_read_as_results_are_taken(self, extract):
        read = 0

        def texts():
            nonlocal read
            while True:
                read += 1
                yield TEXTS[0]

        results = extract(texts(), batch_size=2)
        assert read == 0
        assert len(next(results)) == 3
        assert 0 < read <= 64

    def test_empty_list(self, extract):
        assert extract([]) == []
        assert extract(()) == []
        assert list(extract(iter([]))) == []

    @pytest.mark.parametrize("text", ["", " ", "\r\n", "\u3000"])
    def test_blank_text_has_no_triples(self, extract, text):
        assert extract(text) == []
        assert extract([text, TEXTS[4], text])[::2] == [[], []]

    @pytest.mark.parametrize(
        ("value", "name"),
        [
            (None, "NoneType"),
            (b"x", "bytes"),
            (bytearray(b"x"), "bytearray"),
            (5, "int"),
            (0.5, "float"),
            ({"text": "x"}, "dict"),
        ],
    )
    def test_what_is_no_text_is_refused_with_what_came(self, extract, value, name):
        for inputs in (value, [TEXTS[0], value], (value,)):
            with pytest.raises(TypeError, match=rf"expected a text \(str\).*got {name}"):
                extract(inputs)
        with pytest.raises(TypeError, match=rf"expected a text \(str\), got {name}"):
            list(extract(iter([value])))

    def test_rows_of_a_data_set_are_refused_with_the_way_to_pass_a_column(self, extract):
        with pytest.raises(TypeError, match=r'got dict: .*KeyDataset\(dataset, "text"\)'):
            list(extract(rows()))

    def test_nothing_is_decoded_from_tokens(self, extract):
        text = "读完\t《鲁迅自传》的 谥琏😀e\u0301\ud800 人不多\r\n"
        for triple in extract(text, subject_start_threshold=0.01, subject_end_threshold=0.01):
            for part in (triple["subject"], triple["object"], *triple["qualifiers"].values()):
                assert text[part["start"] : part["end"]] == part["text"]


class MapStyleRows(MapStyle):
    def __getitem__(self, index: int) -> dict[str, str]:
        return {"text": TEXTS[index]}


class TestOutput:
    def test_form_of_a_triple(self, extract):
        (triple,) = extract("读完《鲁迅自传》的人不多")
        score = triple.pop("score")
        assert type(score) is float
        assert 0.25 < score <= 1
        assert triple == {
            "subject": {"text": "鲁迅自传", "start": 3, "end": 7, "type": "图书作品"},
            "predicate": "作者",
            "object": {"text": "鲁迅", "start": 3, "end": 5, "type": "人物"},
            "qualifiers": {},
        }

    def test_qualifiers(self, extract):
        (triple,) = extract(TEXTS[7])
        assert triple["object"]["text"] == "最佳女主角"
        assert {slot: part["text"] for slot, part in triple["qualifiers"].items()} == {
            "inWork": "海边", "onDate": "2010年",
        }  # fmt: skip

    def test_is_json(self, extract):
        assert json.loads(json.dumps(extract(TEXTS))) == extract(TEXTS)

    def test_triples_are_in_order_of_their_place(self, extract):
        places = [(t["subject"]["start"], t["object"]["start"]) for t in extract(TEXTS[2])]
        assert places == sorted(places)


class TestBatches:
    @pytest.mark.parametrize("batch_size", [2, 3, 8, 100])
    def test_batch_size_does_not_change_the_answer(self, extract, batch_size):
        alone = extract(TEXTS, batch_size=1)
        together = extract(TEXTS, batch_size=batch_size)
        for one, other in zip(alone, together, strict=True):
            scores = [[triple.pop("score") for triple in triples] for triples in (one, other)]
            assert scores[0] == pytest.approx(scores[1], abs=1e-5)
            assert one == other

    def test_batch_size_is_that_of_the_model_passes(self, trained_folder, monkeypatch):
        sizes = []
        encode = SpoForTripleExtraction.encode

        def watch(self, input_ids, **inputs):
            sizes.append(len(input_ids))
            return encode(self, input_ids, **inputs)

        monkeypatch.setattr(SpoForTripleExtraction, "encode", watch)
        extract = pipeline("triple-extraction", model=trained_folder, batch_size=3)
        extract(TEXTS)
        assert sizes == [3, 3, 2]
        sizes.clear()
        extract(TEXTS, batch_size=5)
        assert sizes == [5, 3]

    @pytest.mark.parametrize("batch_size", [0, -1])
    def test_impossible_batch_size(self, extract, trained_folder, batch_size):
        with pytest.raises(ValueError, match=f"batch_size={batch_size}: expected"):
            extract(TEXTS, batch_size=batch_size)
        with pytest.raises(ValueError, match=f"batch_size={batch_size}: expected"):
            pipeline("triple-extraction", model=trained_folder, batch_size=batch_size)

    @pytest.mark.parametrize("batch_size", ["8", 2.0])
    def test_batch_size_of_a_wrong_type(self, extract, batch_size):
        with pytest.raises(TypeError, match=r"batch_size=.*: expected a whole number of at least 1, or None, got"):
            extract(TEXTS, batch_size=batch_size)


class TestArguments:
    @pytest.mark.parametrize(
        "name", ["subject_start_threshold", "subject_end_threshold", "object_start_threshold", "object_end_threshold"]
    )
    def test_thresholds_at_construction_and_call(self, extract, trained_folder, name):
        assert extract(TEXTS[0], **{name: 1.0}) == []
        strict = pipeline("triple-extraction", model=trained_folder, **{name: 1.0})
        assert strict(TEXTS[0]) == []
        assert len(strict(TEXTS[0], **{name: 0.5})) == 3
        assert strict(TEXTS[0]) == []

    def test_thresholds_default_to_the_model_s_config(self, trained_model, tiny_tokenizer, tmp_path):
        trained_model.save_pretrained(tmp_path)
        tiny_tokenizer.save_pretrained(tmp_path)
        config = json.loads((tmp_path / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps({**config, "object_end_threshold": 1.0}))
        assert pipeline("triple-extraction", model=str(tmp_path))(TEXTS[0]) == []

    def test_threshold_zero_is_not_taken_for_none(self, extract):
        everything = extract(TEXTS[4], object_start_threshold=0.0, object_end_threshold=0.0)
        assert len(everything) > 50

    def test_top_k_at_construction_and_call(self, extract, trained_folder):
        scores = sorted((triple["score"] for triple in extract(TEXTS[2])), reverse=True)
        assert [triple["score"] for triple in extract(TEXTS[2], top_k=2)] == scores[:2]
        one = pipeline("triple-extraction", model=trained_folder, top_k=1)
        assert [triple["score"] for triple in one(TEXTS[2])] == scores[:1]
        assert len(one(TEXTS[2], top_k=3)) == 3

    def test_rules_at_construction_and_call(self, trained_model, tiny_tokenizer, tmp_path):
        trained_model.save_pretrained(tmp_path)
        tiny_tokenizer.save_pretrained(tmp_path)
        config = json.loads((tmp_path / "config.json").read_text())
        for relation in config["relations"]:
            relation["rules"] = {"max_objects": 1} if relation["predicate"] == "主演" else {}
        (tmp_path / "config.json").write_text(json.dumps(config))
        ruled = pipeline("triple-extraction", model=str(tmp_path))
        assert len(ruled(TEXTS[0])) == 2
        assert builders.facts(ruled(TEXTS[0], rules=False)) == GOLD[0]
        free = pipeline("triple-extraction", model=str(tmp_path), rules=False)
        assert len(free(TEXTS[0])) == 3
        assert len(free(TEXTS[0], rules=True)) == len(free(TEXTS[0], rules=None)) == 2

    def test_none_in_a_call_lifts_what_construction_set(self, trained_folder):
        one = pipeline("triple-extraction", model=trained_folder, top_k=1, on_long="error")
        assert len(one(TEXTS[2], top_k=None)) == 4

    def test_unknown_one_is_refused_in_both_places(self, extract, trained_folder):
        message = r"unknown argument treshold; known are batch_tokens, .*window, batch_size"
        with pytest.raises(TypeError, match=message):
            extract(TEXTS[0], treshold=0.5)
        with pytest.raises(TypeError, match=message):
            extract(iter(TEXTS), treshold=0.5)
        with pytest.raises(TypeError, match=message):
            pipeline("triple-extraction", model=trained_folder, treshold=0.5)

    def test_num_workers_is_refused_in_both_places(self, extract, trained_folder):
        message = "unknown argument num_workers: texts are tokenised in the same process, by many threads"
        with pytest.raises(TypeError, match=message):
            extract(TEXTS, num_workers=2)
        with pytest.raises(TypeError, match=message):
            pipeline("triple-extraction", model=trained_folder, num_workers=2)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"subject_end_threshold": 2.0}, "subject_end_threshold=2.0: expected a number from 0 to 1"),
            ({"top_k": 0}, "top_k=0: expected"),
            ({"on_long": "stop"}, "on_long='stop': expected one of window, warn, error"),
            ({"window": 2}, "window=2: expected a whole number of at least 3"),
            ({"batch_tokens": 0}, "batch_tokens=0: expected"),
        ],
    )
    def test_impossible_value_is_refused_at_once_in_both_places(self, extract, trained_folder, arguments, message):
        with pytest.raises(ValueError, match=message):
            extract(iter(TEXTS), **arguments)
        with pytest.raises(ValueError, match=message):
            pipeline("triple-extraction", model=trained_folder, **arguments)


class TestLongTexts:
    text = "。".join(TEXTS)

    def test_are_read_whole(self, extract):
        (expected,) = [[triple for triples in extract(TEXTS, window=3) for triple in triples]]
        found = extract(self.text, window=3)
        assert [(t["subject"]["text"], t["predicate"]) for t in found] == [
            (t["subject"]["text"], t["predicate"]) for t in expected
        ]
        for triple in found:
            for part in (triple["subject"], triple["object"], *triple["qualifiers"].values()):
                assert self.text[part["start"] : part["end"]] == part["text"]

    def test_the_window_is_that_of_the_config(self, trained_folder):
        extract = pipeline("triple-extraction", model=trained_folder)
        assert extract.extractor().window == 64
        extract.model.config.window = 20
        assert extract.extractor().window == 20
        assert extract.extractor(window=30).window == 30

    def test_can_be_cut_or_refused(self, extract, trained_folder, caplog):
        text = "今天天气很好" * 20
        with caplog.at_level(logging.WARNING):
            extract(text, on_long="warn")
        assert "58 of 120 characters were not read" in caplog.text
        with pytest.raises(TextTooLongError, match="58 of 120 characters were not read"):
            extract(text, on_long="error")
        with pytest.raises(TextTooLongError):
            pipeline("triple-extraction", model=trained_folder, on_long="error")(text)


class TestModel:
    @pytest.mark.parametrize("dtype", ["float32", torch.float32, "bfloat16", torch.bfloat16])
    def test_dtype(self, trained_folder, dtype):
        extract = pipeline("triple-extraction", model=trained_folder, dtype=dtype)
        assert str(extract.model.dtype).endswith(str(dtype).removeprefix("torch."))
        assert builders.facts(extract(TEXTS[4])) == GOLD[4]

    @pytest.mark.parametrize("device", ["cpu", -1, torch.device("cpu")])
    def test_device(self, trained_folder, device):
        extract = pipeline("triple-extraction", model=trained_folder, device=device)
        assert extract.device == torch.device("cpu")
        assert builders.facts(extract(TEXTS[4])) == GOLD[4]

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
    @pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
    def test_gpu(self, trained_folder, dtype):
        extract = pipeline("triple-extraction", model=trained_folder, device="cuda", dtype=dtype)
        assert extract.model.device.type == "cuda"
        assert [builders.facts(triples) for triples in extract(TEXTS, batch_size=3)] == GOLD

    def test_model_arguments(self, trained_folder):
        extract = pipeline("triple-extraction", model=trained_folder, model_kwargs={"attn_implementation": "eager"})
        assert extract.model.encoder.config._attn_implementation == "eager"

    def test_objects_in_place_of_names(self, trained_model, tiny_tokenizer):
        for extract in (
            pipeline("triple-extraction", model=trained_model, tokenizer=tiny_tokenizer),
            TripleExtractionPipeline(model=trained_model, tokenizer=tiny_tokenizer),
        ):
            assert type(extract) is TripleExtractionPipeline
            assert builders.facts(extract(TEXTS[4])) == GOLD[4]

    def test_model_in_training_is_put_in_evaluation_mode(self, tiny_tokenizer):
        encoder = builders.encoder_config("bert", len(tiny_tokenizer))
        encoder.hidden_dropout_prob = 0.5
        model = builders.spo_model(encoder).train()
        extract = pipeline("triple-extraction", model=model, tokenizer=tiny_tokenizer)
        assert not model.training
        loose = {"subject_start_threshold": 0.01, "subject_end_threshold": 0.01, "top_k": 1}
        assert extract(TEXTS[0], **loose) == extract(TEXTS[0], **loose)

    def test_training_after_the_pipeline_was_made_changes_nothing(self, trained_model, tiny_tokenizer):
        extract = pipeline("triple-extraction", model=trained_model, tokenizer=tiny_tokenizer)
        trained_model.train()
        extract(TEXTS[0])
        assert not trained_model.training

    def test_no_gradient_is_kept(self, trained_model, tiny_tokenizer):
        pipeline("triple-extraction", model=trained_model, tokenizer=tiny_tokenizer)(TEXTS)
        assert trained_model.training is False
        assert all(not parameter.is_inference() for parameter in trained_model.parameters())

    def test_plain_encoder_is_refused(self, bare_encoder):
        with pytest.raises(ValueError, match=r"expected a triple-extraction model, got BertModel.*from_encoder"):
            pipeline("triple-extraction", model=bare_encoder)

    def test_schema_is_at_hand(self, extract):
        assert extract.schema == builders.SCHEMA


class TestRelations:
    def test_only_their_objects_are_computed(self, extract, trained_folder):
        loop = extract.extractor(relations=["主演", "获奖"])
        assert loop.labels == (0, 11, 12, 13)
        batch = pad([window.encoding for window in loop.windows(TEXTS)], 0)
        rows, spans = np.array([0, 1]), np.array([[1, 2], [2, 3]])
        few, every = (
            one.backend.objects(one.backend.subjects(batch)[0], rows, spans) for one in (loop, extract.extractor())
        )
        assert few.shape[2] == 4
        assert np.allclose(few, every[:, :, list(loop.labels)], atol=1e-6)

    def test_at_construction_and_call(self, extract, trained_folder):
        some = pipeline("triple-extraction", model=trained_folder, relations=["主演"])
        assert {triple["predicate"] for triples in some(TEXTS) for triple in triples} == {"主演"}
        assert builders.facts(some(TEXTS[0], relations=None)) == GOLD[0]
        with pytest.raises(ValueError, match=r"relations='主角': .* did you mean 主演"):
            extract(TEXTS[0], relations=["主角"])


class TestSteps:
    """The three steps that every pipeline of transformers has do the same as a call."""

    def test_preprocess_forward_postprocess(self, extract):
        for text, gold in zip(TEXTS, GOLD, strict=True):
            assert builders.facts(extract.postprocess(extract.forward(extract.preprocess(text)))) == gold


class TestExtractOfAModel:
    """`extract` of a model does what its pipeline does."""

    def test_one_text_and_several(self, trained_model, tiny_tokenizer, extract):
        assert trained_model.extract(TEXTS[0], tiny_tokenizer) == extract(TEXTS[0])
        assert trained_model.extract(TEXTS, tiny_tokenizer, batch_size=2, top_k=1) == extract(TEXTS, top_k=1)

    def test_the_mode_stays(self, trained_model, tiny_tokenizer):
        trained_model.train()
        try:
            assert builders.facts(trained_model.extract(TEXTS[0], tiny_tokenizer)) == GOLD[0]
            assert trained_model.training
        finally:
            trained_model.eval()

    def test_another_tokenizer_is_refused(self, trained_model):
        with pytest.raises(ValueError, match="not a fast tokenizer"):
            trained_model.extract(TEXTS, None)
