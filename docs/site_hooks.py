"""Hooks of the documentation site: formulas as MathML, and pages that are generated from the package.

Formulas stand between `$$` lines or in `\\(…\\)`. They become MathML, which browsers draw without scripts.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert

from hf_spo.model.options import options_table

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^\$\$\n(.*?)\n\$\$$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"\\\((.+?)\\\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Replace formulas by MathML, and a generated part by its content."""
    if "<!-- generated: options -->" in markdown:
        markdown = markdown.replace("<!-- generated: options -->", options_table())
    if "<!-- generated: commands -->" in markdown:
        markdown = markdown.replace("<!-- generated: commands -->", command_reference())
    if "<!-- generated: changelog -->" in markdown:
        markdown = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    markdown = BLOCK.sub(lambda found: convert(found[1], display="block"), markdown)
    # Without the span, a formula at the start of a line would be a block of its own.
    return INLINE.sub(lambda found: f"<span>{convert(found[1])}</span>", markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Show references of docstrings, [`Name`], as code."""
    return re.sub(r"\[(<code>[^<]*</code>)\](?!\()", r"\1", html)


def command_reference() -> str:
    """Return the reference of all commands, as typer writes it."""
    typer = shutil.which("typer", path=str(Path(sys.executable).parent)) or "typer"
    written = subprocess.run(
        [typer, "hf_spo.cli", "utils", "docs", "--name", "hf-spo"], capture_output=True, text=True, check=True
    ).stdout
    return re.sub(r"^#+ `hf-spo`\n", "", written, count=1)
