"""Exports of models to ONNX, and the engines that run them without torch."""

from typing import TYPE_CHECKING

from ..support.lazy import lazy_names

if TYPE_CHECKING:
    from .export import OnnxReport, export_onnx
    from .folder import OnnxExportError
    from .runtime import OnnxBackend, OnnxTripleExtractionPipeline, load_onnx
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "OnnxBackend": "runtime",
            "OnnxExportError": "folder",
            "OnnxReport": "export",
            "OnnxTripleExtractionPipeline": "runtime",
            "export_onnx": "export",
            "load_onnx": "runtime",
        },
    )

__all__ = [
    "OnnxBackend",
    "OnnxExportError",
    "OnnxReport",
    "OnnxTripleExtractionPipeline",
    "export_onnx",
    "load_onnx",
]
