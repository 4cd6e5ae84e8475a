"""The queue: who goes through the model with whom, and when."""

import asyncio
import threading

import pytest

from hf_spo.service import batching
from hf_spo.service.batching import Batcher
from hf_spo.service.errors import RefusedError
from hf_spo.service.service_settings import ServiceSettings
from tests.service.samples import FakeModel


def run(scenario, max_queue=100, room=10_000, gather_time=0.0, workers=1):
    """Run a scenario with a queue and a model that waits for its gate; return what the model was called with."""

    async def go():
        settings = ServiceSettings(max_queue=max_queue, batch_characters=room, gather_time=gather_time, workers=workers)
        model, batcher = FakeModel(), Batcher(settings)
        batcher.start()
        try:
            await scenario(batcher, model)
        finally:
            model.gate.set()
            batcher.close()
        return model.calls

    return asyncio.run(go())


async def hold(batcher, model):
    """Keep the model busy; return the request that does."""
    model.gate.clear()
    job = batcher.submit(["一"], (), model.extractor())
    await asyncio.to_thread(model.running.wait, 10)
    return job


def found(job):
    return [result[0].subject.text for result in job.future.result()]


def test_those_who_wait_go_together_and_get_their_own():
    async def scenario(batcher, model):
        first = await hold(batcher, model)
        texts = [[f"甲{n}"] * n for n in range(1, 5)]
        jobs = [batcher.submit(own, (), model.extractor()) for own in texts]
        assert len(batcher) == 4
        model.gate.set()
        await asyncio.wait([job.future for job in (first, *jobs)])
        assert [found(job) for job in jobs] == texts

    calls = run(scenario)
    assert [len(call) for call in calls] == [1, 10]


def test_only_equal_options_go_together_and_who_waits_longest_goes_first():
    async def scenario(batcher, model):
        await hold(batcher, model)
        options = [(("top_k", 1),), (), (("top_k", 1),)]
        jobs = [batcher.submit([str(n)], chosen, model.extractor()) for n, chosen in enumerate(options)]
        model.gate.set()
        await asyncio.wait([job.future for job in jobs])

    assert run(scenario) == [["一"], ["0", "2"], ["1"]]


def test_a_request_of_many_texts_does_not_hold_up_small_ones():
    order = []

    async def scenario(batcher, model):
        await hold(batcher, model)
        large = batcher.submit(["大" * 100] * 1000, (), model.extractor())
        small = [batcher.submit(["小" * 100], (), model.extractor()) for _ in range(5)]
        for name, job in (("large", large), *((f"small {n}", job) for n, job in enumerate(small))):
            job.future.add_done_callback(lambda _, name=name: order.append(name))
        model.gate.set()
        await asyncio.wait([job.future for job in (large, *small)])
        assert len(large.future.result()) == 1000

    calls = run(scenario, room=2000)
    assert order[-1] == "large"
    assert sum("小" * 100 in call for call in calls[:3]) >= 1
    assert max(sum(map(len, call)) for call in calls) <= 2000


def test_a_text_larger_than_a_batch_goes_alone_and_is_not_passed_over_for_ever():
    async def scenario(batcher, model):
        await hold(batcher, model)
        jobs = [batcher.submit([text], (), model.extractor()) for text in ("甲" * 60, "乙" * 500, "丙" * 60)]
        model.gate.set()
        await asyncio.wait([job.future for job in jobs])

    assert run(scenario, room=130) == [["一"], ["甲" * 60, "丙" * 60], ["乙" * 500]]


def test_texts_of_like_lengths_go_together():
    async def scenario(batcher, model):
        await hold(batcher, model)
        jobs = [batcher.submit(["短", "中等" * 500, "短的", "中等" * 510], (), model.extractor())]
        model.gate.set()
        await asyncio.wait([job.future for job in jobs])
        assert found(jobs[0]) == ["短", "中等" * 500, "短的", "中等" * 510]

    assert [len(call) for call in run(scenario)] == [1, 2, 2]


@pytest.mark.parametrize(
    ("of_a_pass", "of_a_character", "cost"), [(0.02, 0.0001, 200), (0, 0.0001, 64), (0.02, 0, 2048)]
)
def test_what_a_pass_costs_is_measured(monkeypatch, of_a_pass, of_a_character, cost):
    clock = [0.0]
    monkeypatch.setattr(batching.time, "perf_counter", lambda: clock[0])

    def loop(texts):
        clock[0] += of_a_pass + of_a_character * sum(map(len, texts))
        return iter([])

    assert batching.measure_max_padding(loop) == pytest.approx(cost)


def test_a_failure_is_its_text_s_alone_and_ends_its_request():
    async def scenario(batcher, model):
        await hold(batcher, model)
        bad = batcher.submit(["坏" * 1000] * 20, (), model.extractor())
        good = batcher.submit(["好"], (), model.extractor())
        model.gate.set()
        await asyncio.wait([bad.future, good.future])
        assert found(good) == ["好"]
        assert isinstance(bad.future.result()[0], RuntimeError)
        await asyncio.sleep(0.05)
        assert len(batcher) == 0

    assert sum(text.startswith("坏") for call in run(scenario, room=3000) for text in call) <= 4


class Panic(BaseException):
    """As a panic of Rust code reaches Python: no Exception."""


def test_a_panic_fails_its_text_alone_and_the_thread_goes_on():
    def loop(texts):
        for text in texts:
            if text == "panic":
                raise Panic("in the tokenizer")
            yield []

    async def scenario(batcher, model):
        await hold(batcher, model)
        bad, good = (batcher.submit([text], (), loop) for text in ("panic", "good"))
        model.gate.set()
        await asyncio.wait([bad.future, good.future], timeout=5)
        assert good.future.result() == [[]]
        assert str(bad.future.result()[0]) == "Panic: in the tokenizer"
        again = batcher.submit(["好"], (), model.extractor())
        await asyncio.wait([again.future], timeout=5)
        assert found(again) == ["好"]

    run(scenario)


def test_whatever_ends_a_batch_fails_its_requests_at_once_and_the_thread_goes_on():
    async def scenario(batcher, model):
        def fail(texts, seconds):
            batcher._observe = lambda *_: None
            raise Panic("while counting")

        batcher._observe = fail
        lost = batcher.submit(["甲"], (), model.extractor())
        await asyncio.wait([lost.future], timeout=5)
        with pytest.raises(RuntimeError, match="Panic: while counting"):
            lost.future.result()
        assert batcher.is_ready
        kept = batcher.submit(["乙"], (), model.extractor())
        await asyncio.wait([kept.future], timeout=5)
        assert found(kept) == ["乙"]

    run(scenario)


def test_dropped_requests_cost_nothing():
    async def scenario(batcher, model):
        running = await hold(batcher, model)
        dropped = batcher.submit(["乙"], (), model.extractor())
        kept = batcher.submit(["丙"], (), model.extractor())
        batcher.drop(dropped)
        batcher.drop(running)
        model.gate.set()
        await asyncio.wait([kept.future])
        assert not dropped.future.done()

    assert run(scenario) == [["一"], ["丙"]]


def test_what_is_dropped_within_a_batch_is_passed_over():
    async def scenario(batcher, model):
        await hold(batcher, model)
        short = batcher.submit(["短"], (), model.extractor())
        long = batcher.submit(["长" * 1000], (), model.extractor())
        short.future.add_done_callback(lambda _: None)
        observed = threading.Event()
        batcher._observe = lambda *_: (batcher.drop(long), observed.set())
        model.gate.set()
        await asyncio.wait([short.future])
        await asyncio.to_thread(observed.wait, 10)

    assert run(scenario) == [["一"], ["短"]]


def test_what_is_not_finished_in_time_is_refused():
    async def scenario(batcher, model):
        running = await hold(batcher, model)
        waiting = batcher.submit(["乙"], (), model.extractor())
        batcher.drain()
        assert not batcher.is_ready
        with pytest.raises(RefusedError, match="stopping"):
            batcher.submit(["丙"], (), model.extractor())
        batcher.abandon()
        for job in (running, waiting):
            with pytest.raises(RefusedError, match="stopping"):
                job.future.result()
        model.gate.set()
        await asyncio.sleep(0.05)
        assert len(batcher) == 0

    assert run(scenario) == [["一"]]


def test_no_more_than_fit():
    async def scenario(batcher, model):
        await hold(batcher, model)
        for _ in range(2):
            batcher.submit(["乙"], (), model.extractor())
        assert batcher.is_full
        with pytest.raises(RefusedError) as refused:
            batcher.submit(["丙"], (), model.extractor())
        assert refused.value.status == 429

    run(scenario, max_queue=2)


def test_nobody_is_waited_for_when_only_one_asks_and_others_are_when_many_did():
    async def scenario(batcher, model):
        first = await hold(batcher, model)
        jobs = [batcher.submit([str(n)], (), model.extractor()) for n in range(3)]
        model.gate.set()
        await asyncio.wait([job.future for job in (first, *jobs)])
        again = []
        for n in "abc":  # as answered clients come back, one by one
            again.append(batcher.submit([n], (), model.extractor()))
            await asyncio.sleep(0.01)
        await asyncio.wait([job.future for job in again])

    assert run(scenario, gather_time=5) == [["一"], ["0", "1", "2"], ["a", "b", "c"]]


def test_threads_that_have_nothing_to_do_get_their_share():
    async def scenario(batcher, model):
        texts = [f"{number}" + "甲" * 1000 for number in range(8)]
        model.gate.clear()
        job = batcher.submit(texts, (), model.extractor())
        while len(batcher):
            await asyncio.sleep(0.01)
        assert sum(map(bool, batcher._running)) == 2
        model.gate.set()
        await asyncio.wait([job.future])
        assert found(job) == texts

    assert sorted(map(len, run(scenario, workers=2))) == [4, 4]


def test_who_is_refused_at_the_end_may_be_with_several_threads():
    async def scenario(batcher, model):
        model.gate.clear()
        jobs = [batcher.submit(["甲" * 1000], (), model.extractor()) for _ in range(3)]
        while sum(map(bool, batcher._running)) < 2:
            await asyncio.sleep(0.01)
        batcher.drain()
        batcher.abandon()
        await asyncio.wait([job.future for job in jobs])
        assert all(isinstance(job.future.exception(), RefusedError) for job in jobs)

    run(scenario, workers=2)


def test_answers_to_nobody_after_the_end():
    model, batcher = FakeModel(), Batcher(ServiceSettings(max_queue=10, batch_characters=100))

    async def scenario():
        batcher.start()
        await hold(batcher, model)

    asyncio.run(scenario())
    model.gate.set()
    (thread,) = batcher._threads
    thread.join(0.2)
    assert thread.is_alive()
    batcher.close()
    thread.join(5)
    assert not thread.is_alive()
