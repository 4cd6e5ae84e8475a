"""Training settings that the figures of a data set suggest."""

from collections.abc import Iterator

from ..training.defaults import default_epochs
from .diagnosis import Figures, Suggestion, counted

_CUT_TEXTS, _CUT_TRIPLES = 0.01, 0.002
_BATCH_SIZE = 16
_FEW_TEXTS = 5_000


def suggest(figures: Figures) -> tuple[Suggestion, ...]:
    """Return suggested settings; none if no triple can be learnt."""
    if not figures.aligned:
        return ()
    texts = figures.texts - figures.without_triples
    epochs = default_epochs(texts, _BATCH_SIZE)
    moved, restated = figures.moved / figures.triples, figures.restated / figures.triples
    several_types = figures.several_types / texts
    rows: list[tuple[bool, str, str | int | float, str]] = [
        (
            True,
            "num_train_epochs",
            epochs,
            f"the default for {counted(texts, 'text')} with triples in batches of {_BATCH_SIZE}: {epochs * texts:,} "
            f"texts read in all; an encoder that starts at random takes several times as many",
        ),
        (
            figures.subjects >= 1.3,
            "subjects_per_example",
            min(max(round(figures.subjects), 2), 4),
            f"texts have {figures.subjects:.2f} subjects on average; each step trains the objects of the drawn ones",
        ),
        (
            moved >= 0.05,
            "occurrence_policy",
            "nearest",
            f"it labels other occurrences than the first for {figures.moved:,} triples ({moved:.1%}); try both, "
            f"since neither is always right",
        ),
        (
            figures.attainable_either - figures.attainable >= 0.003,
            "span_pairing",
            "either",
            f"mentions share borders: the attainable F1 is {figures.attainable_either:.3f}, with nearest "
            f"{figures.attainable:.3f}",
        ),
        (
            restated >= 0.1,
            "prior",
            True,
            f"{restated:.1%} of the triples also occur in another text, so known triples help on new texts",
        ),
        (
            texts < _FEW_TEXTS and several_types < 0.05,
            "entity_swap_probability",
            0.5,
            f"only {counted(texts, 'text')} with triples, and in {1 - several_types:.1%} of them each entity has one "
            f"type, so other entities of the relation can replace it",
        ),
    ]
    return (
        *_max_length(figures),
        *(Suggestion(setting, value, reason) for applies, setting, value, reason in rows if applies),
    )


def _max_length(figures: Figures) -> Iterator[Suggestion]:
    for cut in figures.lengths.cuts:
        if cut.texts <= _CUT_TEXTS * figures.texts and cut.triples <= _CUT_TRIPLES * figures.triples:
            longest = figures.lengths.quantiles["longest"]
            if cut.texts:
                reason = (
                    f"{cut.texts:,} of {counted(figures.texts, 'text')} are longer and read in windows, which lose "
                    f"{counted(cut.triples, 'triple')}"
                )
            else:
                reason = f"holds every text: the longest has {longest} tokens"
            yield Suggestion("max_length", cut.max_length, reason)
            return
