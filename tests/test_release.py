"""`.ci/release` refuses what must not be released, before it builds anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RELEASE = Path(__file__).parents[1] / ".ci" / "release"


def git(folder, *arguments):
    settings = ("user.name=A", "user.email=a@example.org", "commit.gpgsign=false", "tag.gpgsign=false")
    options = [part for setting in settings for part in ("-c", setting)]
    subprocess.run(["git", *options, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    if shutil.which("git") is None or shutil.which("bash") is None:
        pytest.skip("needs git and bash")
    (tmp_path / ".ci").mkdir()
    shutil.copy(RELEASE, tmp_path / ".ci")
    (tmp_path / "hf_spo").mkdir()
    (tmp_path / "hf_spo" / "__init__.py").write_text('__version__ = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2026-01-02\n\n- First.\n")
    # Stands for the tools of a release: a build that is reached must fail here, not reach the network.
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text('#!/bin/sh\necho "reached: $*"\nexit 7\n')
    python.chmod(0o755)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "One")
    return tmp_path


def release(folder, *arguments):
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", ".ci/release", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": path})


def test_what_fits_is_built_and_a_failed_build_gives_no_tag(checkout):
    done = release(checkout)
    assert "reached: -m build --outdir dist/1.2.3" in done.stdout
    assert done.returncode == 7
    assert not subprocess.run(["git", "tag"], cwd=checkout, capture_output=True, check=True).stdout


def test_what_does_not_fit_is_refused(checkout):
    def refusal(*arguments):
        done = release(checkout, *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr

    assert "expected nothing or --upload" in refusal("--uplaod")
    (checkout / "left.txt").touch()
    assert "the working tree has changes" in refusal()
    (checkout / "left.txt").unlink()
    git(checkout, "tag", "v1.2.3")
    assert "the tag v1.2.3 is there" in refusal()
    (checkout / "hf_spo" / "__init__.py").write_text('__version__ = "1.2.30"\n')
    git(checkout, "commit", "--quiet", "--all", "--message", "Two")
    assert "no heading '## 1.2.30 - YYYY-MM-DD'" in refusal()
    (checkout / "hf_spo" / "__init__.py").write_text("")
    git(checkout, "commit", "--quiet", "--all", "--message", "Three")
    assert "has no line __version__" in refusal()
