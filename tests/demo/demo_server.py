"""The demo's server as a process of its own."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

SECONDS = 60
"""After which what is waited for will not come."""


@contextmanager
def served(*command: str) -> Iterator[str]:
    """Start a server on a free port; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1", "GRADIO_SERVER_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, *(word.format(port=port) for word in command)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
    ) as process:  # fmt: skip
        deadline = threading.Timer(SECONDS, process.kill)
        deadline.start()
        try:
            told = []
            for line in iter(process.stdout.readline, ""):
                told.append(line)
                if "the demo is at" in line:
                    break
            else:
                pytest.fail("".join(told))
            deadline.cancel()
            yield f"http://127.0.0.1:{port}"
        finally:
            deadline.cancel()
            process.terminate()
            process.wait(SECONDS)
            rest = process.stdout.read()
    assert "Traceback" not in rest
