"""The Gradio page: events of its components, and the API."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gradio as gr
from gradio.events import api

from ..loading.locations import PACKAGED
from .actions import extract_text, failure, show_file, show_text
from .extraction import Models, Settings, is_chinese
from .file_extraction import Outcome
from .page_layout import EMPTY, EMPTY_FILE, Layout
from .strings import EXAMPLES, Language
from .views import PageContent, Status, file_status, preview_table, progress

_LANGUAGE_OF_BROWSER = "() => navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'"
_IS_WIDE = "() => innerWidth > 640"
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class Page:
    """The page for a set of models.

    Args:
        models: models to choose from.
    """

    def __init__(self, models: Models) -> None:
        self._models = models
        self._one_a_model: dict[str, Any] = {"concurrency_id": "text", "concurrency_limit": len(models.names)}
        with gr.Blocks(title="hf_spo", analytics_enabled=False, delete_cache=(600, 3600)) as self.blocks:
            self._layout = Layout(models.names)
            self._connect()
            api(self.extract, api_name="extract", **self._one_a_model)

    def extract(
        self, text: str, model: str = "", threshold: float = 0.0, score_threshold: float = 0.0, rules: bool = True
    ) -> list[dict]:  # type: ignore[type-arg]  # gradio makes its schema of it
        """Extract triples from a text.

        Args:
            text: text of at most 10,000 characters.
            model: one of the models on the page; default: the first.
            threshold: probability above which a token is a border; 0: the model's own value.
            score_threshold: drop triples with a lower score; 0: the model's own value.
            rules: apply the rules of the model's schema.

        Returns:
            the triples, each with score, subject, predicate, object and qualifiers.
        """
        try:
            settings = Settings(model or self._models.names[0], threshold, score_threshold, rules)
            return [*map(dict, extract_text(self._models, text, settings))]
        except Exception as error:
            raise gr.Error(failure(error).values["reason"], print_exception=False) from None

    def _connect(self) -> None:
        page = self._layout
        text_outputs = [page.shown, page.status, page.found, page.sentence, page.table, page.graph, page.json]
        file_outputs = [page.outcome, page.file_status, page.file_found, page.preview, *page.downloads]
        settings = [page.model, page.border, page.score, page.rules]
        inputs = [page.language, page.text, *settings]
        extract: dict[str, Any] = {"outputs": text_outputs, **self._one_a_model, **_PRIVATE}
        gr.on([page.button.click, page.text.submit], self.on_text, inputs, **extract)
        for key, button in page.examples.items():
            chosen = button.click(partial(EXAMPLES.get, key), None, page.text, queue=False, **_PRIVATE)
            chosen.then(self.on_text, inputs, **extract)
        changes = [page.border.release, page.score.release, page.model.input, page.rules.input]
        gr.on(changes, self.on_change, [page.shown, *inputs], **extract)
        page.text.change(self.on_typing, page.text, page.english, **_PRIVATE)
        gr.on(
            [page.upload.upload, page.file_button.click],
            self.on_file,
            [page.language, page.upload, page.column, *settings],
            file_outputs,
            concurrency_id="file",
            concurrency_limit=1,
            **_PRIVATE,
        )
        page.tabs.select(self.on_tab, None, [page.text_results, page.file_results], queue=False, **_PRIVATE)
        page.language.change(
            self.on_language,
            [page.language, page.shown, page.outcome],
            [*(component for component, _ in page.labels), *text_outputs[1:], *file_outputs[1:]],
            queue=False,
            **_PRIVATE,
        )
        self.blocks.load(None, None, page.language, js=_LANGUAGE_OF_BROWSER, **_PRIVATE)
        # The result of the script replaces the value of the checkbox.
        self.blocks.load(self.on_width, page.rules, page.settings, js=_IS_WIDE, queue=False, **_PRIVATE)

    def on_text(self, language: Language, text: str | None, *settings: Any) -> Iterator[tuple[Any, ...]]:
        """Extract from the text; yield updates of the components that show results."""
        for shown in show_text(self._models, text or "", Settings(*settings)):
            if shown.status.kind == "busy":  # earlier results stay visible meanwhile
                yield gr.skip(), shown.status.html(language), *[gr.skip()] * 5
            else:
                yield shown, *_text_parts(shown, language)

    def on_change(self, shown: PageContent, *inputs: Any) -> Iterator[tuple[Any, ...]]:
        """Extract again if there are results."""
        if shown.status == EMPTY:
            yield (gr.skip(),) * 7
        else:
            yield from self.on_text(*inputs)

    def on_typing(self, text: str | None) -> Any:
        """Show a note on the packaged models if the text is not Chinese."""
        return gr.update(
            visible=bool(text) and not is_chinese(text or "") and not PACKAGED.keys().isdisjoint(self._models.names)
        )

    def on_width(self, is_wide: bool) -> Any:
        """Open the settings in a wide window; in a narrow one, results come first."""
        return gr.update(open=is_wide)

    def on_file(self, language: Language, path: str | None, column: str, *settings: Any) -> Iterator[tuple[Any, ...]]:
        """Extract from the file; yield updates of the components that show results."""
        if path is None:
            yield EMPTY_FILE, *_file_parts(EMPTY_FILE, language)
            return
        # Gradio copies the downloads before it asks for the next update.
        with TemporaryDirectory() as folder:
            found = show_file(self._models, Path(path), column, Settings(*settings), Path(folder), language)
            for outcome, total in found:
                if isinstance(outcome, Status) or outcome.files:
                    yield outcome, *_file_parts(outcome, language)
                else:
                    yield gr.skip(), progress(outcome, total, language), *[gr.skip()] * 5

    def on_tab(self, event: gr.SelectData) -> tuple[Any, Any]:
        """Show the results of the selected tab."""
        is_text = event.index == 0
        return gr.update(visible=is_text), gr.update(visible=not is_text)

    def on_language(self, language: Language, shown: PageContent, outcome: Status | Outcome) -> list[Any]:
        """Switch all labels and results to a language."""
        return [
            *(gr.update(**labels(language)) for _, labels in self._layout.labels),
            *_text_parts(shown, language),
            *_file_parts(outcome, language, keep=True),
        ]


def _text_parts(shown: PageContent, language: Language) -> tuple[Any, ...]:
    status, *parts = shown.parts(language)
    return status, gr.update(visible=bool(shown.triples)), *parts


def _file_parts(outcome: Status | Outcome, language: Language, *, keep: bool = False) -> tuple[Any, ...]:
    """Return status, visibility, preview and downloads; `keep` leaves the downloads unchanged."""
    if isinstance(outcome, Status):
        return outcome.html(language), gr.update(visible=False), preview_table((), language), *[gr.skip()] * 3
    files = [*map(str, outcome.files), None, None, None][:3]
    downloads = [gr.skip() if keep else gr.update(value=file, visible=file is not None) for file in files]
    return file_status(outcome, language), gr.update(visible=True), preview_table(outcome.preview, language), *downloads
