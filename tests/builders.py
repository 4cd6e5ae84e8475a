"""Tiny tokenizers, encoders, models and labelled sentences, all built in code."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, PreTrainedTokenizerFast

from hf_spo import Example, Mention, Relation, Schema, Span, SpoConfig, SpoForTripleExtraction, Triple
from hf_spo.model.alignment import Batch, TokenSpan, encode, pad
from hf_spo.model.schema import VALUE_SLOT

SCHEMA = Schema(
    [
        Relation("影视作品", "主演", "人物"),
        Relation("影视作品", "导演", "人物"),
        Relation("图书作品", "作者", "人物"),
        Relation("人物", "出生地", "地点"),
        Relation("机构", "成立日期", "Date"),
        Relation("企业", "成立日期", "Date"),
        Relation("歌曲", "歌手", "人物"),
        Relation("歌曲", "作词", "人物"),
        Relation("歌曲", "作曲", "人物"),
        Relation("影视作品", "票房", "Number"),
        Relation("影视作品", "票房", "地点", "inArea"),
        Relation("娱乐人物", "获奖", "奖项"),
        Relation("娱乐人物", "获奖", "作品", "inWork"),
        Relation("娱乐人物", "获奖", "Date", "onDate"),
    ]
)


def mention(text: str, part: str, kind: str, nth: int = 0) -> Mention:
    """Return the nth occurrence of a part of a text."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(part, start + 1)
    return Mention(part, Span(start, start + len(part)), kind)


def example(text: str, *triples: tuple[Any, ...]) -> Example:
    """Label a text by (subject, predicate, object) or (subject, predicate, object, {slot: part}), types from SCHEMA.

    A subject is a string, or a string and its type where a predicate has two; each is its first occurrence.
    """
    labelled = []
    for subject, predicate, value, *slots in triples:
        name, kind = subject if isinstance(subject, tuple) else (subject, "")
        head = SCHEMA[SCHEMA.find(predicate, kind)]
        qualifiers = {
            slot: mention(text, part, SCHEMA[SCHEMA.find(predicate, head.subject_type, "", slot)].object_type)
            for slot, part in (slots[0] if slots else {}).items()
        }
        labelled.append(
            Triple(
                mention(text, name, head.subject_type), predicate, mention(text, value, head.object_type), qualifiers
            )
        )
    return Example(text, tuple(labelled))


FIVE_FEATURES = {
    "one subject, many objects": example(
        "《远山的灯》由林小川执导,周一鸣、何雨晴主演",
        ("远山的灯", "导演", "林小川"),
        ("远山的灯", "主演", "周一鸣"),
        ("远山的灯", "主演", "何雨晴"),
    ),
    "many subjects": example(
        "陈立言出生于苏州,歌曲《晚风》由白露演唱",
        ("陈立言", "出生地", "苏州"),
        ("晚风", "歌手", "白露"),
    ),
    "many-to-many": example(
        "《海边》和《雪国》都由何雨晴、周一鸣主演",
        ("海边", "主演", "何雨晴"),
        ("海边", "主演", "周一鸣"),
        ("雪国", "主演", "何雨晴"),
        ("雪国", "主演", "周一鸣"),
    ),
    "one pair, several predicates": example(
        "白露自己作词作曲并演唱了《晚风》",
        ("晚风", "歌手", "白露"),
        ("晚风", "作词", "白露"),
        ("晚风", "作曲", "白露"),
    ),
    "subject and object overlap": example("读完《鲁迅自传》的人不多", ("鲁迅自传", "作者", "鲁迅")),
}

EXAMPLES = [
    *FIVE_FEATURES.values(),
    example("星河科技成立于1998年", (("星河科技", "企业"), "成立日期", "1998年")),
    example("《雪国》在北京的票房是三千万", ("雪国", "票房", "三千万", {"inArea": "北京"})),
    example(
        "2010年,何雨晴凭《海边》拿下最佳女主角",
        ("何雨晴", "获奖", "最佳女主角", {"inWork": "海边", "onDate": "2010年"}),
    ),
]

SENTENCES = [
    *(item.text for item in EXAMPLES),
    "今天天气很好,我们去公园走走",
    "Anna Lind directed Blue Harbour in 2003",
    "Zoë Müller wurde 1970 in Köln geboren",
    "ホテルは東京にある",
]

# Special tokens of the two conventions; WordPiece and the byte-level family below use the first.
BERT_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
XLM_SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def wordpiece_tokenizer(lowercase: bool = False, strip_accents: bool = False) -> PreTrainedTokenizerFast:
    """Build a BERT-like tokenizer: every character of SENTENCES, and few pieces of words; no 谥, 琏 or emoji."""
    characters = sorted({character for text in SENTENCES for character in text if not character.isspace()})
    ascii_characters = [chr(code) for code in range(33, 127)]
    latin = [*"abcdefghijklmnopqrstuvwxyz0123456789", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "é", "ö", "ü"]
    pieces = [*(f"##{letter}" for letter in latin), "an", "##na", "blue", "19", "##98", "201", "##0"]
    vocabulary = dict.fromkeys([*BERT_SPECIALS, *ascii_characters, *characters, *latin, *pieces])
    backend = Tokenizer(models.WordPiece({token: index for index, token in enumerate(vocabulary)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    return _wrap(backend, *BERT_SPECIALS)


def byte_level_tokenizer(add_prefix_space: bool, trim_offsets: bool) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE, RoBERTa's kind, on a few sentences, so that most characters are split into bytes."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=BERT_SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(SENTENCES, trainer)
    backend.post_processor = processors.RobertaProcessing(
        ("[SEP]", 3), ("[CLS]", 2), trim_offsets=trim_offsets, add_prefix_space=add_prefix_space
    )
    return _wrap(backend, *BERT_SPECIALS)


def unigram_tokenizer() -> PreTrainedTokenizerFast:
    """Build a SentencePiece-like Unigram with NFKC and Metaspace, XLM-R's kind: characters and few longer pieces."""
    characters = sorted({character for text in SENTENCES for character in text if not character.isspace()})
    pieces = ["▁", *characters, "▁An", "na", "▁Blue", "主演", "作词"]
    cls, pad_token, sep, unk, mask = XLM_SPECIALS
    vocabulary = [(special, 0.0) for special in XLM_SPECIALS] + [(piece, -4.0) for piece in pieces]
    backend = Tokenizer(models.Unigram(vocabulary, unk_id=XLM_SPECIALS.index(unk)))
    backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    return _wrap(backend, pad_token, unk, cls, sep, mask)


def _wrap(backend: Tokenizer, pad_token: str, unk: str, cls: str, sep: str, mask: str) -> PreTrainedTokenizerFast:
    if backend.post_processor is None:
        backend.post_processor = processors.TemplateProcessing(
            single=f"{cls} $A {sep}",
            special_tokens=[(cls, backend.token_to_id(cls)), (sep, backend.token_to_id(sep))],
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token=pad_token, unk_token=unk, cls_token=cls, sep_token=sep, mask_token=mask
    )


TOKENIZERS = {
    "wordpiece cased": wordpiece_tokenizer(),
    "wordpiece uncased": wordpiece_tokenizer(lowercase=True, strip_accents=True),
    "byte-level": byte_level_tokenizer(add_prefix_space=False, trim_offsets=False),
    "byte-level trimmed": byte_level_tokenizer(add_prefix_space=False, trim_offsets=True),
    "byte-level prefixed": byte_level_tokenizer(add_prefix_space=True, trim_offsets=False),
    "byte-level prefixed, trimmed": byte_level_tokenizer(add_prefix_space=True, trim_offsets=True),
    "unigram": unigram_tokenizer(),
}
EVERY_TOKENIZER = pytest.mark.parametrize("tokenizer", TOKENIZERS.values(), ids=TOKENIZERS.keys())


def any_text() -> st.SearchStrategy[str]:
    """Draw text of any kind, but often of what is hard: marks, joiners, surrogates, spaces, prefixes of tokenizers."""
    characters = (
        "白露ab1 \t\r\n\u3000\u0301\u0323\u200d\ufe0f\ufffd😀谥ＡｶﾞéİßﬁŉΣ▁Ġ\u1112\u1161\x00\x1c\x85\u00ad\u0e33㍿\ud800"
    )
    groups = ["[UNK]", "[SEP]", "<s>", "##a", "👨\u200d👩", "e\u0301"]
    return st.lists(st.sampled_from([*characters, *groups]) | st.characters(), max_size=24).map("".join)


ENCODERS = ("bert", "roberta", "xlm-roberta", "electra", "deberta-v2", "modernbert", "distilbert", "albert")


def encoder_config(model_type: str = "bert", vocab_size: int = 320, size: int = 32, layers: int = 2) -> Any:
    """Return the config of a tiny encoder of any family, without dropout."""
    settings: dict[str, Any] = {
        "vocab_size": vocab_size,
        "hidden_size": size,
        "intermediate_size": 2 * size,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "max_position_embeddings": 80,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "pad_token_id": 0,
    }
    special: dict[str, dict[str, Any]] = {
        "electra": {"embedding_size": size // 2},
        "albert": {"embedding_size": size // 2},
        "deberta-v2": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
        "modernbert": {"global_attn_every_n_layers": 2, "local_attention": 16, "cls_token_id": 2, "sep_token_id": 3},
        "distilbert": {"dim": size, "hidden_dim": 2 * size, "n_layers": layers, "n_heads": 2, "dropout": 0.0},
    }
    if model_type == "distilbert":
        settings = {name: settings[name] for name in ("vocab_size", "max_position_embeddings", "pad_token_id")}
        settings["attention_dropout"] = 0.0
    if model_type == "modernbert":
        del settings["hidden_dropout_prob"], settings["attention_probs_dropout_prob"]
    return AutoConfig.for_model(model_type, **settings | special.get(model_type, {}))


def spo_model(encoder: Any = None, schema: Schema = SCHEMA, seed: int = 0, **settings: Any) -> SpoForTripleExtraction:
    """Build a tiny model with random weights, in evaluation mode."""
    torch.manual_seed(seed)
    settings = {"max_length": 64, **settings}
    config = SpoConfig(encoder_config=encoder or encoder_config(), relations=schema.to_list(), **settings)
    return SpoForTripleExtraction(config).eval()


Labels = dict[TokenSpan, list[tuple[TokenSpan, int]]]


def gold_labels(item: Example, tokenizer: Any, schema: Schema = SCHEMA) -> Labels:
    """Return an example's subjects as tokens, with their objects and relations."""
    (encoding,) = encode(tokenizer, [item.text], 512)

    def tokens(part: Mention) -> TokenSpan:
        assert part.span is not None
        span = encoding.token_span(part.span)
        assert isinstance(span, TokenSpan), (item.text, part.text, span)
        return span

    labels: Labels = {}
    for triple in item.triples:
        for slot, value in triple.slots():
            relation = schema.find(triple.predicate, triple.subject.type, value.type, slot)
            labels.setdefault(tokens(triple.subject), []).append((tokens(value), relation))
    return labels


class GoldBackend:
    """A model that knows the answer: probability 1 at every gold border of its examples."""

    def __init__(self, examples: Sequence[Example], tokenizer: Any, schema: Schema = SCHEMA) -> None:
        self.relations = len(schema)
        self.labels = {}
        for item in examples:
            (encoding,) = encode(tokenizer, [item.text], 512)
            self.labels[tuple(encoding.input_ids)] = gold_labels(item, tokenizer, schema)

    def subjects(self, batch: Batch) -> tuple[Any, np.ndarray]:
        state = [
            self.labels[tuple(ids[mask == 1].tolist())]
            for ids, mask in zip(batch.input_ids, batch.attention_mask, strict=True)
        ]
        probs = np.zeros((*batch.input_ids.shape, 2), dtype=np.float32)
        for row, labels in enumerate(state):
            for subject in labels:
                probs[row, subject.start, 0] = probs[row, subject.end, 1] = 1
        return (state, probs.shape[1]), probs

    def objects(self, state: Any, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        labels, length = state
        probs = np.zeros((len(rows), length, self.relations, 2), dtype=np.float32)
        for index, (row, (start, end)) in enumerate(zip(rows.tolist(), spans.tolist(), strict=True)):
            for value, relation in labels[row].get(TokenSpan(start, end), ()):
                probs[index, value.start, relation, 0] = probs[index, value.end, relation, 1] = 1
        return probs


def training_batch(examples: Sequence[Example], tokenizer: Any, schema: Schema = SCHEMA) -> dict[str, torch.Tensor]:
    """Return the model's arguments for all examples and all their subjects at once."""
    batch = pad(encode(tokenizer, [item.text for item in examples], 512), tokenizer.pad_token_id)
    labels = [gold_labels(item, tokenizer, schema) for item in examples]
    subjects = [(row, subject) for row, found in enumerate(labels) for subject in found]
    length = batch.input_ids.shape[1]
    subject_labels = torch.zeros(len(examples), length, 2)
    object_labels = torch.zeros(len(subjects), length, len(schema), 2)
    for index, (row, subject) in enumerate(subjects):
        subject_labels[row, subject.start, 0] = subject_labels[row, subject.end, 1] = 1
        for value, relation in labels[row][subject]:
            object_labels[index, value.start, relation, 0] = object_labels[index, value.end, relation, 1] = 1
    return {
        **{name: torch.from_numpy(array) for name, array in batch.model_inputs().items()},
        "subject_rows": torch.tensor([row for row, _ in subjects]),
        "subject_spans": torch.tensor([[subject.start, subject.end] for _, subject in subjects]),
        "subject_labels": subject_labels,
        "object_labels": object_labels,
    }


def overfit(model: SpoForTripleExtraction, batch: dict[str, torch.Tensor], steps: int, rate: float = 3e-3) -> float:
    """Train on one batch until its loss is tiny; return the last loss."""
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    loss = float("inf")
    for _ in range(steps):
        optimizer.zero_grad()
        output = model(**batch)
        output.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss = output.loss.item()
        if loss < 2e-3:
            break
    model.eval()
    return loss


def facts(triples: Sequence[Triple | dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Return triples as a set of plain values, offsets, types and qualifiers included, scores left out."""
    found = [triple if isinstance(triple, Triple) else Triple.from_dict(triple) for triple in triples]
    return {
        (triple.subject, triple.predicate, *((slot, value) for slot, value in sorted(triple.slots(), key=_slot)))
        for triple in found
    }


def _slot(item: tuple[str, Mention]) -> tuple[bool, str]:
    return item[0] != VALUE_SLOT, item[0]
