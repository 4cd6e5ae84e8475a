"""The server of the page. By default it listens on this machine only; the page loads nothing from other hosts."""

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..drawing.colours import DARK, LIGHT
from ..graph.page import drawing_scripts
from .extraction import Loaders, Models
from .file_extraction import MAX_BYTES

_FOLDER = Path(__file__).parent
# Gradio refuses larger uploads; below this size, the page reports files that are too large.
_UPLOAD_BYTES = 10 * MAX_BYTES

_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC"]
# Gradio's own colours have too little contrast.
_COLOURS = {
    **dict.fromkeys(("body_text_color_subdued", "block_info_text_color"), LIGHT.soft),
    **dict.fromkeys(("body_text_color_subdued_dark", "block_info_text_color_dark"), DARK.soft),
    **{"body_background_fill_dark": DARK.paper, "background_fill_primary_dark": DARK.paper},
}


def launch(
    loaders: Loaders, host: str | None = None, port: int | None = None, tell: Callable[[str], None] = print
) -> None:
    """Serve the page until SIGTERM or Ctrl+C; call it in the main thread.

    Args:
        loaders: functions that load the models, by name; each is called on first use.
        host: address to listen on; default: the environment variable GRADIO_SERVER_NAME, else 127.0.0.1.
        port: port to listen on; default: the environment variable GRADIO_SERVER_PORT, else the first free from 7860.
        tell: receives a message with the address.

    Raises:
        OSError: the port is taken.
        ImportError: gradio is not installed.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with TemporaryDirectory(prefix="hf-spo-demo-") as folder:
            os.environ["GRADIO_TEMP_DIR"] = folder  # uploads and downloads are deleted when the server stops
            _serve(Models(loaders), host, port, tell)
    finally:
        os.environ.pop("GRADIO_TEMP_DIR", None)
        signal.signal(signal.SIGTERM, before)


def _serve(models: Models, host: str | None, port: int | None, tell: Callable[[str], None]) -> None:
    # After GRADIO_TEMP_DIR is set, since Gradio reads it on import.
    try:
        import gradio as gr
    except ImportError:
        raise ImportError("the demo needs gradio: pip install 'hf-spo[demo]'") from None

    from .page import Page

    fonts: Any = {"font": [*_FONTS, "sans-serif"], "font_mono": ["ui-monospace", "Menlo", "Consolas", "monospace"]}
    page = Page(models).blocks
    try:
        _check(host, port)
        _, address, _ = page.launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            ssr_mode=False,
            mcp_server=False,
            run_history=False,
            enable_monitoring=False,
            footer_links=["api"],
            max_file_size=_UPLOAD_BYTES,
            theme=gr.themes.Default(primary_hue="blue", neutral_hue="slate", **fonts).set(**_COLOURS),
            css_paths=_FOLDER / "page.css",
            head=_head(),
        )
        tell(f"the demo is at {address} (Ctrl+C stops it)")
        page.block_thread()
    finally:
        page.close(verbose=False)


def _head() -> str:
    """Return the scripts of the page; the function around the last two keeps their names from other scripts."""
    *libraries, drawing = drawing_scripts()
    own = f"(() => {{\n{drawing}\n{(_FOLDER / 'page.js').read_text(encoding='utf-8')}\n}})();"
    return "".join(f"<script>{script}</script>" for script in (*libraries, own))


def _check(host: str | None, port: int | None) -> None:
    """Check that the port is free; Gradio's own message names options that this command lacks."""
    if port is not None:
        try:
            with socket.socket(socket.AF_INET6 if ":" in (host or "") else socket.AF_INET) as free:
                free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                free.bind((host or "127.0.0.1", port))
        except OSError as error:
            raise OSError(
                f"port {port} of {host or '127.0.0.1'} cannot be used ({error.strerror}); name another"
            ) from None
