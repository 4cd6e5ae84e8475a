"""Running models elsewhere: exports to ONNX, and what runs them without torch."""

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .onnx_export import OnnxReport, export_onnx
    from .onnx_folder import OnnxExportError
    from .onnx_runtime import OnnxBackend, OnnxTripleExtractionPipeline, load_onnx
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "OnnxBackend": "onnx_runtime",
            "OnnxExportError": "onnx_folder",
            "OnnxReport": "onnx_export",
            "OnnxTripleExtractionPipeline": "onnx_runtime",
            "export_onnx": "onnx_export",
            "load_onnx": "onnx_runtime",
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
