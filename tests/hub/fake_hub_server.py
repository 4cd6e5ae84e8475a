"""What the fake Hub answers over HTTP.

Uploads come as what the real Hub calls regular files, so that even weights arrive inside the commit itself.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub.fake_repository import Repository

if TYPE_CHECKING:
    from tests.hub.fake_hub import FakeHub

USER = "me"
TOKEN = "hf_of_the_fake_hub"


@dataclass(frozen=True)
class _Reply:
    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def _missing(what: str, commit: str | None = None) -> _Reply:
    headers = {"X-Error-Code": f"{what}NotFound"} | ({"X-Repo-Commit": commit} if commit else {})
    return _Reply({"error": f"{what} not found"}, 404, headers)


_UNAUTHORIZED = _Reply({"error": "Invalid credentials in Authorization header"}, 401)
_KIND_AND_NAME = r"/api/(?P<kind>model|dataset|space)s/(?P<name>[^/]+/[^/]+)"


class Handler(BaseHTTPRequestHandler):
    hub: "FakeHub"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Stay silent: `hub.requests` is the log."""

    def _answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urlsplit(self.path)
        self.query = parse_qs(address.query)
        self.hub.requests.append((self.command, address.path))
        reply = self._route(address.path)
        plain = isinstance(reply.body, bytes)
        body = reply.body if plain else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/octet-stream" if plain else "application/json")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _route(self, path: str) -> _Reply:
        for methods, pattern, answer in _ROUTES:
            found = re.fullmatch(pattern, path)
            if self.command not in methods or found is None:
                continue
            if methods != _READ and not self.authorized:
                return _UNAUTHORIZED
            parts = {name: unquote(part) for name, part in found.groupdict().items() if part is not None}
            if "name" not in parts:
                return answer(self)
            kind = parts.pop("kind", "model")
            repository = self.hub.repositories.get((kind, parts.pop("name")))
            if repository is None or (repository.private and not self.authorized):
                return _missing("Repo")
            return answer(self, repository, **parts)
        return _Reply({"error": f"the fake Hub has no {self.command} {path}"}, 404)

    @property
    def authorized(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def whoami(self) -> _Reply:
        return _Reply({"name": USER, "type": "user", "orgs": [], "auth": {"accessToken": {"role": "write"}}})

    def validate_yaml(self) -> _Reply:
        content = json.loads(self.body)["content"]
        if not re.match(r"---\n.*?\n---", content, re.DOTALL):
            return _Reply({"errors": [], "warnings": [{"message": "empty or missing yaml metadata in repo card"}]})
        return _Reply({"errors": [], "warnings": []})

    def create(self) -> _Reply:
        wanted = json.loads(self.body)
        name, kind = f"{wanted.get('organization') or USER}/{wanted['name']}", wanted.get("type", "model")
        url = f"{self.hub.url}/{name if kind == 'model' else f'{kind}s/{name}'}"
        if (kind, name) in self.hub.repositories:
            return _Reply({"error": "You already created this repo", "url": url}, 409)
        private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        self.hub.create(name, kind, private, wanted.get("sdk"))
        return _Reply({"url": url, "id": name, "name": name})

    def delete(self) -> _Reply:
        wanted = json.loads(self.body)
        name = f"{wanted.get('organization') or USER}/{wanted['name']}"
        found = self.hub.repositories.pop((wanted.get("type", "model"), name), None)
        return _missing("Repo") if found is None else _Reply({})

    def branch(self, repository: Repository, revision: str) -> _Reply:
        if revision in repository.branches:
            return _Reply({"error": "Reference already exists"}, 409)
        start = json.loads(self.body or b"{}").get("startingPoint") or "main"
        commit = repository.resolve(start)
        if commit is None:
            return _missing("Revision")
        repository.branches[revision] = commit
        return _Reply({})

    def preupload(self, repository: Repository, revision: str) -> _Reply:
        if repository.resolve(revision) is None:
            return _missing("Revision")
        files = json.loads(self.body)["files"]
        return _Reply(
            {"files": [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]}
        )

    def commit(self, repository: Repository, revision: str) -> _Reply:
        if revision not in repository.branches:
            return _missing("Revision")
        files = dict(repository.commits[repository.branches[revision]])
        message = ""
        for line in self.body.splitlines():
            operation = json.loads(line)
            key, value = operation["key"], operation["value"]
            if key == "header":
                message = value["summary"]
            elif key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key in ("deletedFile", "deletedFolder"):
                gone = value["path"].rstrip("/")
                files = {name: content for name, content in files.items() if not _inside(name, gone)}
            else:
                return _Reply({"error": f"the fake Hub knows no {key}"}, 400)
        commit = repository.commit(files, revision, message)
        url = f"{self.hub.url}/{repository.name}/commit/{commit}"
        return _Reply({"success": True, "commitOid": commit, "commitUrl": url})

    def info(self, repository: Repository, revision: str = "main") -> _Reply:
        commit = repository.resolve(revision)
        if commit is None:
            return _missing("Revision")
        files = repository.commits[commit]
        card = repository.card(files)
        known = {
            "_id": commit[:24],
            "id": repository.name,
            "modelId": repository.name,
            "author": repository.name.split("/")[0],
            "sha": commit,
            "private": repository.private,
            "downloads": 0,
            "likes": 0,
            "tags": card.get("tags") or [],
            "cardData": card,
            "siblings": [{"rfilename": name} for name in files],
        }
        if repository.kind == "model":
            known |= {"pipeline_tag": card.get("pipeline_tag"), "library_name": card.get("library_name")}
        if repository.kind == "space":
            known["sdk"] = repository.sdk
        return _Reply(known)

    def refs(self, repository: Repository) -> _Reply:
        heads = [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": commit}
            for name, commit in repository.branches.items()
        ]
        return _Reply({"branches": heads, "converts": [], "tags": []})

    def tree(self, repository: Repository, revision: str, path: str = "") -> _Reply:
        commit = repository.resolve(revision)
        if commit is None:
            return _missing("Revision")
        files = {name: data for name, data in repository.commits[commit].items() if _inside(name, path)}
        if path and not files:
            return _missing("Entry", commit)
        folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
        entries = [_entry(name, files.get(name)) for name in sorted({*files, *folders} - {".", path})]
        if self.query.get("recursive", ["false"])[0].lower() != "true":
            entries = [entry for entry in entries if str(PurePosixPath(entry["path"]).parent) == (path or ".")]
        return _Reply(entries)

    def paths_info(self, repository: Repository, revision: str) -> _Reply:
        commit = repository.resolve(revision)
        if commit is None:
            return _missing("Revision")
        files = repository.commits[commit]
        wanted = parse_qs(self.body.decode()).get("paths", [])
        return _Reply([_entry(path, files.get(path)) for path in wanted if any(_inside(name, path) for name in files)])

    def download(self, repository: Repository, revision: str, path: str) -> _Reply:
        commit = repository.resolve(revision)
        if commit is None:
            return _missing("Revision")
        content = repository.commits[commit].get(path)
        if content is None:
            return _missing("Entry", commit)
        return _Reply(content, headers={"ETag": f'"{sha1(content).hexdigest()}"', "X-Repo-Commit": commit})


def _inside(name: str, folder: str) -> bool:
    return not folder or name == folder or name.startswith(f"{folder}/")


def _entry(path: str, content: bytes | None) -> dict[str, Any]:
    if content is None:
        return {"type": "directory", "path": path, "size": 0, "oid": sha1(path.encode()).hexdigest()}
    return {"type": "file", "path": path, "size": len(content), "oid": sha1(content).hexdigest()}


_READ = ("GET", "HEAD")
_ROUTES: list[tuple[tuple[str, ...], str, Callable[..., _Reply]]] = [
    (_READ, r"/api/whoami-v2", Handler.whoami),
    (("POST",), r"/api/validate-yaml", Handler.validate_yaml),
    (("POST",), r"/api/repos/create", Handler.create),
    (("DELETE",), r"/api/repos/delete", Handler.delete),
    (_READ, _KIND_AND_NAME, Handler.info),
    (_READ, rf"{_KIND_AND_NAME}/revision/(?P<revision>[^/]+)", Handler.info),
    (_READ, rf"{_KIND_AND_NAME}/refs", Handler.refs),
    (_READ, rf"{_KIND_AND_NAME}/tree/(?P<revision>[^/]+)(?:/(?P<path>.+))?", Handler.tree),
    (("POST",), rf"{_KIND_AND_NAME}/paths-info/(?P<revision>[^/]+)", Handler.paths_info),
    (("POST",), rf"{_KIND_AND_NAME}/preupload/(?P<revision>[^/]+)", Handler.preupload),
    (("POST",), rf"{_KIND_AND_NAME}/commit/(?P<revision>[^/]+)", Handler.commit),
    (("POST",), rf"{_KIND_AND_NAME}/branch/(?P<revision>[^/]+)", Handler.branch),
    (
        _READ,
        r"/(?:(?P<kind>dataset|space)s/)?(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)",
        Handler.download,
    ),
]
