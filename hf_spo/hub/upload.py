"""The way of a finished repository to the Hub: one commit, by an account that may write."""

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
from .repository import CARD_FILE, ONNX_FOLDER
from .sealed_cards import is_sealed

# What earlier publications may have put there, and what would be wrong beside other weights.
_OURS = re.compile(
    rf"(group-\d+/member-\d+/.+|model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json|"
    rf"{re.escape(WORDS_FILE)}|{re.escape(PRIOR_FILE)})"
)


@dataclass(frozen=True, slots=True)
class Publication:
    """What an upload did.

    Args:
        url: of the repository.
        commit: of the upload.
        files: what was uploaded → its size in bytes.
        removed: files of earlier publications that are gone.
        card_kept: whether the README is still the one that was there.
    """

    url: str
    commit: str
    files: dict[str, int]
    removed: list[str]
    card_kept: bool


class Account:
    """An account on the Hub that repositories are written with.

    Args:
        api: client; default: one for the Hub that the environment names, with the token that is stored.

    Raises:
        OSError: offline mode is on, nobody is logged in, or the Hub does not answer or does not know the token.
    """

    def __init__(self, api: HfApi | None = None) -> None:
        if constants.is_offline_mode():
            raise OSError(
                "publishing takes the Hub, and HF_HUB_OFFLINE says to stay away from it: unset it, or build the folder "
                "only, by --output FOLDER"
            )
        if not get_token():
            raise OSError(
                "nobody is logged in to the Hub: run `hf auth login` with a token that may write, or set HF_TOKEN"
            )
        self._api = api or HfApi(library_name="hf-spo")
        with _explained("log in"):
            self.name = str(self._api.whoami()["name"])

    def full_name(self, repo: str) -> str:
        """Return a repository's name with its owner's: of this account, if it has none."""
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
        """Upload a folder as one commit; the repository and the branch are made if they are not there.

        A README that [`is_sealed`] does not know as one of ours stays, unless `overwrite_card`. Files of an earlier
        publication that would be wrong beside the new weights are removed.

        Args:
            folder: see [`build_repository`].
            repo: full name of the repository.
            private: if it is made, nobody else sees it.
            revision: branch; default: main.
            message: of the commit.
            overwrite_card: whatever README is there.

        Raises:
            OSError: the Hub refuses, or does not answer.
            ValueError: the repository is to be private and is public, or the Hub finds the card wrong.
        """
        with _explained(f"publish {repo}"):
            url = self._api.create_repo(repo, private=private or None, exist_ok=True)
            if revision is not None and not revision.startswith("refs/"):
                self._api.create_branch(repo, branch=revision, exist_ok=True)
            info = self._api.model_info(repo, revision=revision)
            if private and not info.private:
                raise ValueError(
                    f"{repo} exists and is public, so nothing was uploaded; make it private in its settings, or leave "
                    f"--private out"
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
            return is_sealed(Path(path).read_bytes().decode("utf-8", "replace"))


def _is_stale(name: str, there: set[str]) -> bool:
    if name.startswith(f"{ONNX_FOLDER}/"):
        return f"{ONNX_FOLDER}/{DESCRIPTION_FILE}" in there  # others keep exports of their own there
    return _OURS.fullmatch(name) is not None


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn what the Hub's client raises into a line that says what to do.

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
