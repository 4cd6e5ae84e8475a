"""A Hub in this process: repositories of models, data sets and Spaces that are created, written, listed and read."""

from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Self

from tests.hub.fake_hub_server import TOKEN, Handler
from tests.hub.fake_repository import Repository


class FakeHub:
    """A server on a port of its own, for the time of a `with`.

    Args:
        home: folder for the caches of processes that talk to it.
    """

    def __init__(self, home: Path) -> None:
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.requests: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"hub": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.environment = {
            "HF_ENDPOINT": self.url,
            "HF_TOKEN": TOKEN,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HOME": str(home),
            "HF_HUB_OFFLINE": "0",
        }
        """For subprocesses: what they need to know before they import huggingface_hub."""

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __getitem__(self, name: str) -> Repository:
        """Return a repository: "me/x", "spaces/me/x" or "datasets/me/x"."""
        kind, own = name.split("/", 1) if name.count("/") == 2 else ("models", name)
        return self.repositories[kind.removesuffix("s"), own]

    def create(self, name: str, kind: str = "model", private: bool = False, sdk: str | None = None) -> Repository:
        """Create an empty repository, in place of one of that name."""
        self.repositories[kind, name] = repository = Repository(name, kind, private, sdk)
        return repository

    def upload(self, folder: Path, name: str, kind: str = "model") -> Repository:
        """Create a repository with a folder's files, without any request."""
        repository = self.create(name, kind)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        repository.commit({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}, "main", "upload")
        return repository
