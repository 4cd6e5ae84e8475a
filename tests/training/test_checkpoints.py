import errno
import shutil
from collections import namedtuple

import pytest

from hf_spo.training.checkpoints import explain_full_disk, last_checkpoint


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


class TestFullDisk:
    @pytest.mark.parametrize(
        ("error", "free"),
        [
            (OSError(errno.ENOSPC, "No space left on device"), 10**12),
            (Exception("Error while serializing: I/O error: No space left on device (os error 28)"), 10**12),
            (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 3420608 vs 3420496"), 10),
        ],
    )
    def test_it_is_said(self, tmp_path, monkeypatch, error, free):
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: namedtuple("Usage", "free")(free))
        message = "the disk is full: a checkpoint of about 5 MB did not fit into"
        with pytest.raises(OSError, match=message), explain_full_disk(tmp_path, 5_000_000):
            raise error

    def test_other_errors_stay(self, tmp_path):
        with pytest.raises(RuntimeError, match="device"), explain_full_disk(tmp_path, 1):
            raise RuntimeError("no such device")
