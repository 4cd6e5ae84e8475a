import pytest

from hf_spo.training.checkpoints import last_checkpoint


@pytest.fixture
def run(tmp_path):
    def checkpoint(step, state='{"global_step": 1}'):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state)
        return folder

    return checkpoint


def test_no_folder_or_no_checkpoint(tmp_path):
    assert last_checkpoint(tmp_path / "none") is None
    assert last_checkpoint(tmp_path) is None


def test_the_newest_by_step(run, tmp_path):
    for step in (5, 100, 20):
        run(step)
    (tmp_path / "checkpoint-500").write_text("a file")
    (tmp_path / "checkpoint-best").mkdir()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-100"


@pytest.mark.parametrize("state", [None, "", '{"global_st'])
def test_an_incomplete_one_is_passed_over(run, tmp_path, state, caplog):
    whole = run(5)
    run(10, state)
    assert last_checkpoint(tmp_path) == whole
    assert "checkpoint-10 is incomplete" in caplog.text
