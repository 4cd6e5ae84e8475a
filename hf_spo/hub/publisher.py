"""Upload a repository to the Hub in one commit."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants, get_token
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from huggingface_hub.errors import HTTPError as AnyHTTPError  # type: ignore[attr-defined]  # of httpx or httpx2

from ..model.features import PRIOR_FILE, WORDS_FILE
from ..onnx.folder import DESCRIPTION_FILE
from .card_files import is_generated
from .repository import CARD_FILE, ONNX_FOLDER

# Files of earlier publications, which would be wrong with the new weights.
_OURS = re.compile(
    rf"(group-\d+/member-\d+/.+|model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json|"
    rf"{re.escape(WORDS_FILE)}|{re.escape(PRIOR_FILE)})"
)


@dataclass(frozen=True, slots=True)
class Publication:
    """Result of an upload.

    Args:
        url: of the repository.
        commit: of the upload.
        files: sizes of the uploaded files in bytes, by name.
        removed: files of earlier publications that were deleted.
        card_kept: whether the README that was there stays.
    """

    url: str
    commit: str
    files: dict[str, int]
    removed: list[str]
    card_kept: bool


class HubPublisher:
    """Uploads repositories with the account of a user.

    Args:
        api: client; default: one for the endpoint and token of the environment.

    Raises:
        OSError: offline mode is on, there is no token, or the Hub does not answer or does not accept the token.
    """

    def __init__(self, api: HfApi | None = None) -> None:
        if constants.is_offline_mode():
            raise OSError(
                "HF_HUB_OFFLINE is set, and publishing needs the Hub: unset it, or only build the folder with "
                "--output FOLDER"
            )
        if not get_token():
            raise OSError(
                "there is no token for the Hub: run `hf auth login` with a token that may write, or set HF_TOKEN"
            )
        self._api = api or HfApi(library_name="hf-spo")
        with _explained("log in"):
            self.name = str(self._api.whoami()["name"])

    def full_name(self, repo: str) -> str:
        """Return a repository's name with its owner: this account, if the name has none."""
        return repo if "/" in repo else f"{self.name}/{repo}"

    def publish(
        self,
        folder: Path,
        repo: str,
        *,
        private: bool = False,
        revision: str | None = None,
        message: str | None = None,
        overwrite_card: bool = False,
    ) -> Publication:
        """Upload a folder in one commit; the repository and the branch are created if they do not exist.

        A README that is not generated, see [`is_generated`], stays unless `overwrite_card`. Files of an earlier
        publication that would be wrong with the new weights are deleted.

        Args:
            folder: see [`build_repository`].
            repo: full name of the repository.
            private: create a private repository.
            revision: branch; default: main.
            message: of the commit.
            overwrite_card: replace any README.

        Raises:
            OSError: the Hub refuses, or does not answer.
            ValueError: `private` is set and the repository is public, or the Hub refuses the card.
        """
        with _explained(f"publish {repo}"):
            url = self._api.create_repo(repo, private=private or None, exist_ok=True)
            if revision is not None and not revision.startswith("refs/"):
                self._api.create_branch(repo, branch=revision, exist_ok=True)
            info = self._api.model_info(repo, revision=revision)
            if private and not info.private:
                raise ValueError(
                    f"{repo} exists and is public, so nothing was uploaded; make it private in its settings, or omit "
                    f"--private"
                )
            there = {sibling.rfilename for sibling in info.siblings or ()}
            files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
            card_kept = CARD_FILE in there and not overwrite_card and not self._card_is_ours(repo, info.sha)
            if card_kept:
                del files[CARD_FILE]
            removed = sorted(name for name in there - set(files) if _is_stale(name, there))
            commit = self._api.create_commit(
                repo,
                [
                    *(CommitOperationAdd(name, path) for name, path in files.items()),
                    *(CommitOperationDelete(name) for name in removed),
                ],
                commit_message=message or "Publish by hf-spo",
                revision=revision,
                parent_commit=info.sha,
            )
        return Publication(
            str(url), commit.oid, {name: path.stat().st_size for name, path in files.items()}, removed, card_kept
        )

    def _card_is_ours(self, repo: str, commit: str | None) -> bool:
        with TemporaryDirectory() as cache:
            path = self._api.hf_hub_download(repo, CARD_FILE, revision=commit, local_dir=cache)
            return is_generated(Path(path).read_bytes().decode("utf-8", "replace"))


def _is_stale(name: str, there: set[str]) -> bool:
    if name.startswith(f"{ONNX_FOLDER}/"):
        return f"{ONNX_FOLDER}/{DESCRIPTION_FILE}" in there  # other tools keep their exports there
    return _OURS.fullmatch(name) is not None


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn an error of the Hub's client into a message that says what to do.

    Raises:
        OSError: the Hub refuses, or does not answer.
    """
    try:
        yield
    except LocalEntryNotFoundError as error:
        raise ConnectionError(f"cannot {what}: the Hub does not answer ({error})") from None
    except HfHubHTTPError as error:
        raise OSError(f"cannot {what}: {_ADVICE.get(error.response.status_code, error)}") from None
    except AnyHTTPError as error:
        raise ConnectionError(f"cannot {what}: the Hub does not answer ({error})") from None


_ADVICE = {
    401: "the Hub does not know the token; run `hf auth login`, or set HF_TOKEN anew",
    403: "the token may not write there; take another namespace, or a token that may write",
}
