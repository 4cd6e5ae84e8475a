"""A repository of the fake Hub."""

import re
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

import yaml

Files = dict[str, bytes]


@dataclass
class Repository:
    """Snapshots by commit, and the branches that point at them."""

    name: str
    kind: str = "model"
    private: bool = False
    sdk: str | None = None
    commits: dict[str, Files] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.commit({}, "main", "initial commit")

    def commit(self, files: Files, branch: str, message: str) -> str:
        """Make files the content of a branch; return the commit's name."""
        digest = sha1(f"{self.kind}/{self.name}/{len(self.messages)}".encode()).hexdigest()
        self.commits[digest] = files
        self.branches[branch] = digest
        self.messages.append(message)
        return digest

    def resolve(self, revision: str) -> str | None:
        """Return the commit that a branch or a commit's own name stands for."""
        return self.branches.get(revision, revision if revision in self.commits else None)

    @property
    def files(self) -> Files:
        """What the main branch holds."""
        return self.commits[self.branches["main"]]

    def card(self, files: Files) -> dict[str, Any]:
        """Return the front matter of README.md."""
        found = re.match(r"---\n(.*?)\n---", files.get("README.md", b"").decode("utf-8"), re.DOTALL)
        return yaml.safe_load(found[1]) if found else {}
