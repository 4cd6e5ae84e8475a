"""Extraction from a text or a file for the page; each error becomes a status line."""

import logging
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from ..data.documents import count_documents, find_sources
from ..model.results import Triples
from ..support.safe_text import encodable
from .extraction import MAX_CHARACTERS, Models, Settings
from .file_extraction import MAX_BYTES, MAX_DOCUMENTS, Outcome, extract_file
from .strings import Language, say
from .views import PageContent, Status

_MEGABYTE = 1024 * 1024

logger = logging.getLogger(__name__)


def extract_text(models: Models, text: str, settings: Settings) -> Triples:
    """Extract from a text of a user; lone surrogates are returned as U+FFFD.

    Raises:
        ValueError: the text is too long, a setting is out of range, or the model is unknown.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(say("en", "too_long", length=f"{len(text):,}", limit=f"{MAX_CHARACTERS:,}"))
    text = encodable(text)
    (triples,) = models.loop(settings)([text])
    return Triples(triples, text)


def show_text(models: Models, text: str, settings: Settings) -> Iterator[PageContent]:
    """Extract from a text; yield what to show, beginning with the progress."""
    if not text.strip():
        yield PageContent(Status("no_text"))
        return
    if len(text) > MAX_CHARACTERS:
        values = {"length": f"{len(text):,}", "limit": f"{MAX_CHARACTERS:,}"}
        yield PageContent(Status("too_long", values, "wrong"))
        return
    yield PageContent(_busy(models, settings.model))
    started = perf_counter()
    try:
        triples = extract_text(models, text, settings)
    except Exception as error:
        yield PageContent(failure(error))
        return
    figures = {"model": settings.model, "triples": len(triples), "seconds": f"{perf_counter() - started:.2f}"}
    yield PageContent(Status("found", figures, "done") if triples else Status("none_found", figures, "wrong"), triples)


def show_file(
    models: Models, path: Path, column: str, settings: Settings, folder: Path, language: Language
) -> Iterator[tuple[Status | Outcome, int | None]]:
    """Extract from a file; yield a status or the results so far, with the number of documents if it is known.

    Args:
        models, settings: models and settings to extract with.
        path: path of the file.
        column: column or field with the text.
        folder: folder for the files to download.
        language: language of the messages about texts that are too long.
    """
    if (size := path.stat().st_size) > MAX_BYTES:
        values = {"size": f"{size / _MEGABYTE:.1f}", "limit": f"{MAX_BYTES / _MEGABYTE:g}"}
        yield Status("file_too_large", values, "wrong"), None
        return
    yield _busy(models, settings.model), None

    def too_long(length: int) -> str:
        return say(language, "document_too_long", length=f"{length:,}", limit=f"{MAX_CHARACTERS:,}")

    try:
        count = count_documents(find_sources([str(path)]))
        total = None if count is None else min(count, MAX_DOCUMENTS)
        for outcome in extract_file(path, column.strip() or "text", models.loop(settings), folder, too_long):
            yield outcome, total
    except Exception as error:
        yield failure(error, path), None


def failure(error: Exception, path: Path | None = None) -> Status:
    """Return an error as a status and log it; paths are shortened to the name of the file."""
    reason = str(error) if isinstance(error, ValueError | OSError | ImportError) and str(error) else repr(error)
    if path is not None:
        reason = reason.replace(str(path), path.name)
    logger.warning("the demo: %s", reason)
    return Status("failed", {"reason": reason}, "wrong")


def _busy(models: Models, model: str) -> Status:
    return Status("extracting" if models.is_loaded(model) else "loading", {"model": model}, "busy")
