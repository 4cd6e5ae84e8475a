import pytest

from hf_spo import Example, Mention, Schema, Span, Triple, TripleStore
from hf_spo.model.features import Features
from hf_spo.training.voting import FactVotes, Voter, fact, vote
from tests import builders

SCHEMA = builders.SCHEMA
STARRING = SCHEMA[0]


@pytest.fixture(scope="module")
def knowing(trained_model, tiny_tokenizer):
    """A voter that finds exactly the labels of `builders.EXAMPLES`."""
    return Voter("knowing", trained_model, tiny_tokenizer)


@pytest.fixture
def ignorant(tiny_model, tiny_tokenizer):
    """A voter that finds nothing."""
    return Voter("ignorant", tiny_model, tiny_tokenizer)


def found(votes_on):
    return {said: tally.votes for said, tally in votes_on.facts.items()}


def facts_of(example):
    return {fact(triple, SCHEMA) for triple in example.triples}


class TestFact:
    def test_types_may_be_missing_where_they_are_clear(self):
        bare = Triple(Mention("雪国"), "主演", Mention("周一鸣"))
        assert fact(bare, SCHEMA) == ("雪国", STARRING, "周一鸣")

    @pytest.mark.parametrize("predicate", ["作者的父亲", "成立日期"])
    def test_an_unknown_or_unclear_relation_says_nothing(self, predicate):
        assert fact(Triple(Mention("雪国"), predicate, Mention("周一鸣")), SCHEMA) is None


class TestTally:
    def test_a_model_has_one_vote_however_often_it_says_so(self):
        qualifier = {"inArea": Mention("北京", Span(0, 2), "地点")}
        later = Triple(Mention("雪国", Span(9, 11)), "票房", Mention("一亿", Span(5, 7)), score=0.9)
        early = Triple(Mention("雪国", Span(3, 5)), "票房", Mention("一亿", Span(5, 7)), qualifier, score=0.6)
        tally = FactVotes()
        assert tally.score is None
        tally.add([later, early, early])
        tally.add([later])
        tally.add([early])
        assert (tally.votes, tally.best, tally.score) == (3, 0.9, pytest.approx(0.8))
        assert tally.triple.subject.span == Span(3, 5)
        assert tally.qualifiers == {("inArea", qualifier["inArea"]): 2}


def test_every_model_votes_on_every_text(knowing, ignorant):
    examples = [*builders.EXAMPLES, Example("")]
    result = vote(examples, iter([knowing, ignorant, knowing]), batch_size=3)
    assert result.schema == SCHEMA
    for example, votes_on in zip(examples, result.texts, strict=True):
        assert votes_on.voters == 3
        assert votes_on.read_whole
        assert found(votes_on) == dict.fromkeys(facts_of(example), 2)
        assert all(0.5 < tally.score <= 1 for tally in votes_on.facts.values())


def test_a_lower_threshold_lets_the_models_find_more(ignorant):
    examples = builders.EXAMPLES[:2]
    assert not any(votes.facts for votes in vote(examples, [ignorant]).texts)
    assert any(votes.facts for votes in vote(examples, [ignorant], threshold=0.0).texts)


def test_held_out_models_alone(knowing, tiny_tokenizer):
    trained_on = [{example.text for example in builders.EXAMPLES[4 * fold :][:4]} for fold in (0, 1)]
    voters = [Voter(str(fold), knowing.model, tiny_tokenizer, trained_on[fold].__contains__) for fold in (0, 1)]
    examples = [*builders.EXAMPLES, Example("《雪国》")]
    result = vote(examples, voters, held_out=True)
    assert [votes_on.voters for votes_on in result.texts] == [1] * 8 + [2]
    assert found(result.texts[0]) == dict.fromkeys(facts_of(examples[0]), 1)
    assert [votes_on.voters for votes_on in vote(examples, voters).texts] == [2] * 9


def test_texts_that_are_not_read_to_their_end(knowing):
    examples = [builders.EXAMPLES[0], Example(builders.EXAMPLES[0].text * 9)]
    assert [votes_on.read_whole for votes_on in vote(examples, [knowing]).texts] == [True, False]


class TestPrior:
    """A model reads of a text what the store knew of it in training, and not its own labels."""

    EXAMPLES = builders.EXAMPLES[:3]

    @pytest.fixture
    def voter(self, tiny_tokenizer, monkeypatch):
        model = builders.spo_model(builders.encoder_config(vocab_size=len(tiny_tokenizer)), prior=True)
        model.features = Features(prior=TripleStore.from_examples(self.EXAMPLES[:2], SCHEMA))
        self.seen = {}

        def remember(encodings, stated=()):
            Features.annotate(model.features, encodings, stated)
            self.seen |= {encoding.text: len(encoding.candidates) for encoding in encodings}

        monkeypatch.setattr(model.features, "annotate", remember)
        return lambda trained_on: Voter("fold", model, tiny_tokenizer, trained_on)

    def test_its_own_labels_are_hidden_from_what_it_was_trained_on(self, voter):
        vote(self.EXAMPLES, [voter(lambda text: text != self.EXAMPLES[1].text)])
        assert self.seen[self.EXAMPLES[0].text] == 0
        assert self.seen[self.EXAMPLES[1].text] > 0

    def test_and_from_all_texts_if_nothing_is_known(self, voter):
        unknown = Triple(Mention("远山"), "主演者", Mention("林小川"))
        strange = Example(self.EXAMPLES[0].text, (*self.EXAMPLES[0].triples, unknown))
        vote([strange, *self.EXAMPLES[1:]], [voter(None)])
        assert set(self.seen.values()) == {0}


def test_models_with_other_relations(knowing, tiny_tokenizer):
    other = builders.spo_model(builders.encoder_config(vocab_size=len(tiny_tokenizer)), Schema([STARRING]))
    with pytest.raises(ValueError, match="other has other relations than knowing"):
        vote(builders.EXAMPLES, [knowing, Voter("other", other, tiny_tokenizer)])


def test_the_order_of_relations_does_not_matter(knowing, tiny_tokenizer):
    turned = builders.spo_model(builders.encoder_config(vocab_size=len(tiny_tokenizer)), Schema(sorted(SCHEMA)))
    assert vote(builders.EXAMPLES, [knowing, Voter("turned", turned, tiny_tokenizer)]).texts[0].voters == 2


def test_no_model_and_no_text(knowing):
    with pytest.raises(ValueError, match="expected at least one model"):
        vote(builders.EXAMPLES, [])
    assert vote([], [knowing]).texts == []


def test_held_out_votes_of_a_model_of_no_fold(knowing):
    with pytest.raises(ValueError, match="the training texts of knowing are unknown"):
        vote(builders.EXAMPLES, [knowing], held_out=True)
