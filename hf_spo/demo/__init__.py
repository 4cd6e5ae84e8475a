"""A page for trying models in the browser; needs gradio: pip install 'hf-spo[demo]'.

    launch({"base": partial(hf_spo.load, "base")})

gradio is imported when the page is launched.
"""

from .server import launch

__all__ = ["launch"]
