"""Training settings that the figures of a data set suggest."""

from collections.abc import Iterator

from ..training.epochs import default_epochs
from .diagnosis import Figures, Suggestion, counted

_CUT_TEXTS, _CUT_TRIPLES = 0.01, 0.002
_BATCH_SIZE = 16
_FEW_TEXTS = 5_000


def suggest(figures: Figures) -> tuple[Suggestion, ...]:
    """Return suggested settings; none if no triple can be learnt."""
    if not figures.aligned:
        return ()
    return (
        *_max_length(figures),
        *_epochs(figures),
        *_subjects(figures),
        *_occurrences(figures),
        *_pairing(figures),
        *_prior(figures),
        *_swaps(figures),
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


def _epochs(figures: Figures) -> Iterator[Suggestion]:
    texts = figures.texts - figures.without_triples
    epochs = default_epochs(texts, _BATCH_SIZE)
    yield Suggestion(
        "num_train_epochs",
        epochs,
        f"the default for {counted(texts, 'text')} with triples in batches of {_BATCH_SIZE}: {epochs * texts:,} texts "
        f"read in all; an encoder that starts at random takes several times as many",
    )


def _subjects(figures: Figures) -> Iterator[Suggestion]:
    if figures.subjects >= 1.3:
        yield Suggestion(
            "subjects_per_example",
            min(max(round(figures.subjects), 2), 4),
            f"texts have {figures.subjects:.2f} subjects on average; each step trains the objects of the drawn ones",
        )


def _occurrences(figures: Figures) -> Iterator[Suggestion]:
    share = figures.moved / figures.triples
    if share >= 0.05:
        yield Suggestion(
            "occurrence_policy",
            "nearest",
            f"it labels other occurrences than the first for {figures.moved:,} triples ({share:.1%}); try both, since "
            f"neither is always right",
        )


def _pairing(figures: Figures) -> Iterator[Suggestion]:
    gain = figures.attainable_either - figures.attainable
    if gain >= 0.003:
        yield Suggestion(
            "span_pairing",
            "either",
            f"mentions share borders: the attainable F1 is {figures.attainable_either:.3f}, with nearest "
            f"{figures.attainable:.3f}",
        )


def _prior(figures: Figures) -> Iterator[Suggestion]:
    share = figures.restated / figures.triples
    if share >= 0.1:
        yield Suggestion(
            "prior",
            True,
            f"{share:.1%} of the triples also occur in another text, so known triples help on new texts",
        )


def _swaps(figures: Figures) -> Iterator[Suggestion]:
    texts = figures.texts - figures.without_triples
    share = figures.several_types / texts
    if texts < _FEW_TEXTS and share < 0.05:
        yield Suggestion(
            "entity_swap_probability",
            0.5,
            f"only {counted(texts, 'text')} with triples, and in {1 - share:.1%} of them each entity has one type, so "
            f"other entities of the relation can replace it",
        )
