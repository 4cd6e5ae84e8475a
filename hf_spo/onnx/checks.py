"""Check that an export gives the results of its model."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..model.alignment import Batch, pad
from ..model.extraction import PointerBackend, TripleExtractor
from .folder import OnnxExportError

TOLERANCE = 1e-4
"""Largest difference of a probability that is accepted."""

TEXTS = (
    "《远山的灯》由林小川执导，周一鸣、何雨晴主演。",
    "陈立言，1962年3月出生于苏州，毕业于江南大学，歌手、词曲作者。",
    "白露自己作词作曲并演唱了《晚风》，收录在2009年发行的专辑《海边来信》里",
    "星河科技有限公司成立于1998年，总部位于成都市，注册资本三千万元，董事长是王建国。",
    "读完《雪国列车之旅》的人不多，作者方文2010年凭它获得了最佳新人奖",
    "今天天气很好，我们去公园走走。",
    "Anna Lind directed Blue Harbour in 2003; its music is by Zoë Müller, born in Köln.",
    "好",
)
"""Texts that every export is checked on."""


def check_parity(reference: TripleExtractor, exported: TripleExtractor, texts: Sequence[str]) -> float:
    """Compare probabilities and triples of a model and its export; return the largest difference of probabilities.

    Args:
        reference: extraction with the model.
        exported: extraction with its export.
        texts: to compare on, in addition to [`TEXTS`].

    Raises:
        OnnxExportError: a probability differs by more than [`TOLERANCE`], or any triple.
    """
    everything = [*TEXTS, "".join(TEXTS) * 3, *texts]
    batches = _batches(reference, everything)
    largest = float(np.max([_difference(reference, exported, batch) for batch in batches]))
    if not largest <= TOLERANCE:  # also true for NaN
        raise OnnxExportError(
            f"the exported model's probabilities differ from the model's by up to {largest:.2g}, more than "
            f"{TOLERANCE:g}; nothing was written. ONNX may not express its encoder: please report the encoder's type"
        )
    for text, ours, theirs in zip(everything, reference(everything), exported(everything), strict=True):
        if [replace(triple, score=None) for triple in ours] != [replace(triple, score=None) for triple in theirs]:
            raise OnnxExportError(
                f"the exported model finds other triples than the model in the text beginning {text[:20]!r}, "
                f"{len(theirs)} instead of {len(ours)}; nothing was written"
            )
    return largest


def _batches(extractor: TripleExtractor, texts: Sequence[str]) -> Iterator[Batch]:
    """Yield batches of many shapes: one text and several, with and without padding, short and long."""
    windows = [window.encoding for window in extractor.windows(texts)]
    readable = sorted((encoding for encoding in windows if encoding.pointable.any()), key=len)
    token = extractor.tokenizer.pad_token_id or 0
    groups = [readable[:1], readable[-1:], [readable[0], readable[-1]]]
    groups += [readable[at : at + 5] for at in range(0, len(readable), 5)]
    for group in groups:
        batch = pad(group, token)
        yield batch
        if batch.prior is not None:
            yield replace(batch, prior=_some_candidates(batch, len(extractor.schema)))


def _some_candidates(batch: Batch, relations: int) -> np.ndarray:
    """Return candidates whose object is the subject itself, because real texts may hold no known triple."""
    rows, spans = _some_subjects(batch)
    return np.column_stack([rows, spans, spans, np.arange(len(rows)) % relations])


def _some_subjects(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Return three subjects in each text: its first token, its last token, and the whole text."""
    rows, spans = [], []
    for row, pointable in enumerate(batch.pointable):
        tokens = np.flatnonzero(pointable)
        first, last = tokens[0], tokens[-1]
        rows += [row, row, row]
        spans += [(first, first), (last, last), (first, last)]
    return np.array(rows), np.array(spans)


def _difference(reference: TripleExtractor, exported: TripleExtractor, batch: Batch) -> float:
    ours, theirs = (_probabilities(loop.backend, batch) for loop in (reference, exported))
    return float(np.max([np.abs(one - other).max() for one, other in zip(ours, theirs, strict=True)]))


def _probabilities(backend: PointerBackend, batch: Batch) -> Iterator[np.ndarray]:
    """Yield the probabilities outside padding: of subjects, of one subject's objects, of many subjects' objects."""
    read = batch.attention_mask == 1
    state, probs = backend.subjects(batch)
    yield probs[read]
    rows, spans = _some_subjects(batch)
    for some in (slice(1), slice(None)):
        yield backend.objects(state, rows[some], spans[some])[read[rows[some]]]
