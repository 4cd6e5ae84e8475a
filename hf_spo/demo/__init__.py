"""A page for trying models in the browser; needs gradio: pip install 'hf-spo[demo]'.

    launch({"base": partial(hf_spo.load, "base")})

gradio is imported when the page is launched.
"""

from typing import TYPE_CHECKING

from ..support.lazy import lazy_names

if TYPE_CHECKING:
    from .server import launch
else:
    __getattr__, __dir__ = lazy_names(__name__, {"launch": "server"})

__all__ = ["launch"]
