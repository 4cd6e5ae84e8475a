"""From a folder to the Hub: accounts, commits, and what is never overwritten silently."""

from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import LocalEntryNotFoundError

from hf_spo.hub.card_files import mark_generated
from hf_spo.hub.publisher import HubPublisher
from tests.hub import fake_hub_server
from tests.hub.fake_hub import FakeHub


@pytest.fixture
def publisher(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> HubPublisher:
    """An publisher on the fake Hub."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", hub.environment["HF_TOKEN"])
    return HubPublisher(HfApi(endpoint=hub.url))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished repository."""
    folder = tmp_path / "built"
    (folder / "onnx").mkdir(parents=True)
    (folder / "README.md").write_text(mark_generated("---\nlicense: mit\n---\n# new\n"), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(bytes(100))
    (folder / "onnx" / "encoder.onnx").write_bytes(bytes(7))
    return folder


def test_one_commit(hub: FakeHub, publisher: HubPublisher, folder: Path) -> None:
    assert publisher.full_name("x") == "me/x"
    assert publisher.full_name("org/x") == "org/x"
    done = publisher.publish(folder, "me/x", message="first")
    assert hub["me/x"].messages == ["initial commit", "first"]
    assert hub["me/x"].branches["main"] == done.commit
    assert not hub["me/x"].private
    assert done.url == f"{hub.url}/me/x"
    assert {name: len(content) for name, content in hub["me/x"].files.items()} == done.files
    assert done.files.keys() == {"README.md", "model.safetensors", "onnx/encoder.onnx"}
    assert (done.removed, done.card_kept) == ([], False)


def test_a_private_one_and_a_public_one(hub: FakeHub, publisher: HubPublisher, folder: Path) -> None:
    publisher.publish(folder, "me/x", private=True)
    publisher.publish(folder, "me/x", private=True)
    assert hub["me/x"].private
    hub.create("me/y")
    with pytest.raises(ValueError, match="me/y exists and is public, so nothing was uploaded"):
        publisher.publish(folder, "me/y", private=True)
    assert hub["me/y"].files == {}


def test_a_branch(hub: FakeHub, publisher: HubPublisher, folder: Path) -> None:
    for _ in range(2):
        publisher.publish(folder, "me/x", revision="draft")
    repository = hub["me/x"]
    assert repository.files == {}
    assert len(repository.commits[repository.branches["draft"]]) == 3


@pytest.mark.parametrize(
    ("there", "overwrite", "kept"),
    [
        (mark_generated("---\nlicense: mit\n---\n# old\n"), False, False),
        ("# by hand\n", False, True),
        ("# by hand\n", True, False),
        (mark_generated("# old\n") + "PS", False, True),
    ],
)
def test_an_edited_card_is_kept(
    hub: FakeHub, publisher: HubPublisher, folder: Path, there: str, overwrite: bool, kept: bool
) -> None:
    old = there.encode()
    hub.create("me/x").commit({"README.md": old}, "main", "card")
    done = publisher.publish(folder, "me/x", overwrite_card=overwrite)
    assert done.card_kept is kept
    assert ("README.md" in done.files) is not kept
    assert (hub["me/x"].files["README.md"] == old) is kept


def test_files_of_earlier_weights_are_removed(hub: FakeHub, publisher: HubPublisher, folder: Path) -> None:
    stale = [
        *("group-0/member-1/model.safetensors", "model-00001-of-00002.safetensors", "model.safetensors.index.json"),
        *("onnx/hf_spo_onnx.json", "onnx/objects.onnx", "prior.jsonl", "words.txt"),
    ]
    others = ["notes.md", "modeling_spo.py", "adapter/model.safetensors", "model.gguf", "onnx.md"]
    hub.create("me/x").commit(dict.fromkeys([*stale, *others], b"old"), "main", "old")
    done = publisher.publish(folder, "me/x")
    assert done.removed == stale
    assert hub["me/x"].files.keys() == {*others, *done.files}


def test_somebody_s_own_export_stays(hub: FakeHub, publisher: HubPublisher, folder: Path) -> None:
    hub.create("me/x").commit({"onnx/model.onnx": b"theirs"}, "main", "old")
    assert publisher.publish(folder, "me/x").removed == []


class TestRefusals:
    def test_offline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(OSError, match=r"HF_HUB_OFFLINE is set, .*: unset it, or only build the folder"):
            HubPublisher()

    def test_nobody_logged_in(
        self, hub: FakeHub, publisher: HubPublisher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("HF_TOKEN")
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
        with pytest.raises(OSError, match="run `hf auth login` with a token that may write"):
            HubPublisher()

    @pytest.mark.parametrize(("status", "advice"), [(401, "run `hf auth login`"), (403, "a token that may write")])
    def test_a_token_that_may_not_write(
        self,
        hub: FakeHub,
        publisher: HubPublisher,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        status: int,
        advice: str,
    ) -> None:
        monkeypatch.setattr(fake_hub_server, "_UNAUTHORIZED", replace(fake_hub_server._UNAUTHORIZED, status=status))
        monkeypatch.setenv("HF_TOKEN", "hf_another")
        with pytest.raises(OSError, match=f"cannot publish me/x: the .*{advice}"):
            publisher.publish(folder, "me/x")

    def test_a_hub_that_does_not_answer(self, publisher: HubPublisher) -> None:
        with pytest.raises(ConnectionError, match="cannot log in: the Hub does not answer"):
            HubPublisher(HfApi(endpoint="http://127.0.0.1:9"))

    def test_a_card_that_cannot_be_read_is_not_written_over(
        self, hub: FakeHub, publisher: HubPublisher, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hub.create("me/x").commit({"README.md": b"by hand"}, "main", "card")

        def download(*_: object, **__: object) -> str:
            raise LocalEntryNotFoundError("no connection, and nothing in the cache")

        monkeypatch.setattr(HfApi, "hf_hub_download", download)
        with pytest.raises(ConnectionError, match="no connection"):
            publisher.publish(folder, "me/x")
        assert hub["me/x"].files == {"README.md": b"by hand"}

    def test_a_branch_that_is_not_there(self, publisher: HubPublisher, folder: Path) -> None:
        with pytest.raises(OSError, match="cannot publish me/x: "):
            publisher.publish(folder, "me/x", revision="refs/pr/7")
