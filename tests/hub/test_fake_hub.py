"""The fake Hub answers Hugging Face's own client as the real one does."""

from pathlib import Path

import pytest
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.hub.fake_hub_server import TOKEN


@pytest.fixture
def api(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    return HfApi(endpoint=hub.url, token=TOKEN)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "group" / "deep").mkdir(parents=True)
    (tmp_path / "README.md").write_text("---\npipeline_tag: triple-extraction\nlibrary_name: hf-spo\n---\n# x\n")
    (tmp_path / "group" / "deep" / "weights.bin").write_bytes(bytes(range(256)))
    return tmp_path


def test_a_repository_is_made_once(api, hub):
    assert api.create_repo("x", private=True).repo_id == "me/x"
    assert hub["me/x"].private
    assert api.create_repo("me/x", exist_ok=True).repo_id == "me/x"
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo("me/x")


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
def test_what_is_uploaded_comes_back(api, hub, folder, tmp_path, kind):
    api.create_repo("me/x", repo_type=kind, space_sdk="gradio" if kind == "space" else None)
    api.upload_folder(repo_id="me/x", folder_path=folder, repo_type=kind, commit_message="all of it")
    repository = hub["me/x" if kind == "model" else f"{kind}s/me/x"]
    assert repository.messages == ["initial commit", "all of it"]
    assert api.list_repo_files("me/x", repo_type=kind) == ["README.md", "group/deep/weights.bin"]
    path = api.hf_hub_download("me/x", "group/deep/weights.bin", repo_type=kind, cache_dir=tmp_path / "cache")
    assert Path(path).read_bytes() == bytes(range(256))
    if kind == "model":
        info = api.model_info("me/x")
        assert (info.pipeline_tag, info.library_name) == ("triple-extraction", "hf-spo")


def test_trees_and_deletions(api, hub, folder):
    api.create_repo("me/x")
    api.upload_folder(repo_id="me/x", folder_path=folder)
    assert [entry.path for entry in api.list_repo_tree("me/x")] == ["README.md", "group"]
    assert [entry.path for entry in api.list_repo_tree("me/x", "group")] == ["group/deep"]
    assert [entry.path for entry in api.get_paths_info("me/x", ["group", "README.md", "no"])] == ["group", "README.md"]
    api.delete_folder("group", "me/x")
    api.upload_folder(repo_id="me/x", folder_path=folder / "group", delete_patterns="*.md")
    assert list(hub["me/x"].files) == ["deep/weights.bin"]


def test_branches_and_commits_are_revisions(api, folder):
    api.create_repo("me/x")
    api.create_branch("me/x", branch="draft")
    api.create_branch("me/x", branch="draft", exist_ok=True)
    commit = api.upload_folder(repo_id="me/x", folder_path=folder, revision="draft").oid
    assert api.list_repo_files("me/x") == []
    for revision in ("draft", commit):
        assert len(api.list_repo_files("me/x", revision=revision)) == 2
    assert {branch.name for branch in api.list_repo_refs("me/x").branches} == {"main", "draft"}


def test_what_is_not_there_has_the_client_s_own_errors(api, hub, tmp_path):
    api.create_repo("me/x", private=True)
    for error, name, options in (
        (RepositoryNotFoundError, "me/y", {}),
        (RepositoryNotFoundError, "me/x", {"token": False}),
        (RevisionNotFoundError, "me/x", {"revision": "draft"}),
        (EntryNotFoundError, "me/x", {}),
    ):
        with pytest.raises(error):
            hf_hub_download(name, "a.txt", endpoint=hub.url, cache_dir=tmp_path, **{"token": TOKEN, **options})
    api.delete_repo("me/x")
    assert not api.repo_exists("me/x")


def test_nobody_writes_without_the_token(hub, api):
    with pytest.raises(HfHubHTTPError, match="401"):
        HfApi(endpoint=hub.url, token="another").create_repo("me/x")
    assert api.whoami()["name"] == "me"
