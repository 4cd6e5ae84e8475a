"""Bring what the README shows up to date with what the package prints: its pictures in docs and the printed result.

Run it from the repository's root whenever the packaged model or the output changes: python docs/refresh.py
"""

import io
import os
import re
import shutil
import subprocess
import sys
from html import escape, unescape
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

TEXTS = ["《远山的灯》由林小川执导，周一鸣、何雨晴主演。", "电影《你好，李焕英》的导演是贾玲，票房超过54亿元。"]
WIDTH = 78
CELL = 12.2  # rich's width of a character cell, in pixels
DEMO_PORT = 7899
FONTS = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', monospace"
TEXT_ELEMENT = re.compile(r'<text class="([^"]+)" x="([^"]+)" y="([^"]+)" textLength="[^"]+"([^>]*)>([^<]*)</text>')


def draw() -> str:
    """Return what `hf-spo extract` prints on a terminal, as SVG."""
    terminal = {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
    shown = run(["hf-spo", "extract", "--table", *TEXTS], **terminal)
    screen = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    typed = " \\\n    ".join(TEXTS)
    screen.print(f"[bold green]$[/] hf-spo extract {typed}\n", highlight=False)
    screen.print(Text.from_ansi(shown.rstrip()))
    drawing = screen.export_svg(title="hf-spo", theme=MONOKAI, unique_id="hf-spo")
    # Pages that show the picture load no fonts from elsewhere, and digits of a Chinese font would be set full width.
    drawing = re.sub(r"@font-face \{.*?\}\s*|font-variant-east-asian: full-width;", "", drawing, flags=re.DOTALL)
    drawing = TEXT_ELEMENT.sub(align, drawing.replace("Fira Code, monospace", FONTS))
    return "".join(f"{line.rstrip()}\n" for line in drawing.splitlines())


def align(element: re.Match[str]) -> str:
    """Give every run of wide and of narrow characters its own place: rich counts them as equally wide."""
    style, start, y, rest, content = element.groups()
    x, parts = float(start), []
    for width, run_ in groupby(unescape(content), cell_len):
        characters = "".join(run_)
        length = width * len(characters) * CELL
        if characters.strip():
            text = escape(characters).replace("\xa0", "&#160;")
            parts.append(f'<text class="{style}" x="{x:.1f}" y="{y}" textLength="{length:.1f}"{rest}>{text}</text>')
        x += length
    return "".join(parts)


def print_result(readme: str) -> str:
    """Return the README with what its Python lines print put below them."""
    code = re.search(r"<!-- ci: python -->\n```python\n(.*?)```", readme, re.DOTALL)
    assert code is not None, "README.md has no block marked <!-- ci: python -->"
    printed = run([sys.executable, "-c", code.group(1)])
    return re.sub(
        r"(<!-- printed by the lines above -->\n```text\n).*?(```)",
        lambda block: f"{block.group(1)}{printed}{block.group(2)}",
        readme,
        flags=re.DOTALL,
    )


def photograph(picture: str) -> None:
    """Write a screenshot of `hf-spo demo`; needs playwright and a Chromium, and is left out where there is none."""
    browser = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
    if browser is None or find_spec("playwright") is None:
        sys.stderr.write(f"{picture} stays as it is: there is no playwright, or no chromium\n")
        return
    from playwright.sync_api import sync_playwright

    command = ["hf-spo", "demo", "--port", str(DEMO_PORT)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, encoding="utf-8") as server:
        assert server.stderr is not None
        try:
            next(line for line in server.stderr if "the demo is at" in line)
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
                page = chromium.new_page(viewport={"width": 1180, "height": 900}, locale="en-GB")
                page.goto(f"http://127.0.0.1:{DEMO_PORT}")
                page.click("#extract", timeout=60_000)
                page.wait_for_selector("#sentence .hf-spo", timeout=60_000)
                page.click("#extract")  # the first time tells how long the model took to load
                page.wait_for_timeout(2000)
                page.screenshot(path=picture, full_page=True)
        finally:
            server.terminate()


def run(command: list[str], **environment: str) -> str:
    """Return what a command prints, offline."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", **environment}
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout


if __name__ == "__main__":
    readme = Path("README.md")
    readme.write_text(print_result(readme.read_text(encoding="utf-8")), encoding="utf-8")
    Path("docs/extract.svg").write_text(draw(), encoding="utf-8")
    run(["hf-spo", "show", TEXTS[0], "--output", "docs/show.svg"])
    photograph("docs/demo.png")
