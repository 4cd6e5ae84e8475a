"""The components of the page and their labels in both languages."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from .extraction import LOWEST_BORDER, MAX_CHARACTERS
from .file_extraction import MAX_BYTES, MAX_DOCUMENTS
from .strings import EXAMPLES, Language, say
from .views import PageContent, Status, preview_table, triples_table

EMPTY, EMPTY_FILE = Status("empty"), Status("empty_file")
"""Statuses before the first extraction."""

_FIRST_EXAMPLE = "example_film"


class Layout:
    """The components of the page, created within the current `Blocks`.

    Args:
        models: names of the models to choose from.
    """

    def __init__(self, models: list[str]) -> None:
        self._models = models
        self.labels: list[tuple[Any, Callable[[Language], dict[str, Any]]]] = []
        """Components with functions that return their labels in a language."""
        self._lay_out()

    def _lay_out(self) -> None:
        self.shown, self.outcome = gr.State(PageContent(EMPTY)), gr.State(EMPTY_FILE)
        with gr.Row(elem_id="head"):
            self._say(gr.HTML, lambda text: {"value": f"<h1>hf_spo</h1><p>{text('tagline')}</p>"})
            self.language = gr.Radio(
                [("English", "en"), ("中文", "zh")], value="en", show_label=False, container=False, elem_id="language"
            )
        with gr.Tabs() as self.tabs:
            with self._say(gr.Tab, lambda text: {"label": text("text_tab")}, id="text"):
                self._lay_out_text()
            with self._say(gr.Tab, lambda text: {"label": text("file_tab")}, id="file"):
                self._lay_out_file()
        self.settings = self._say(gr.Accordion, lambda text: {"label": text("settings")}, elem_id="settings")
        with self.settings, gr.Row():
            self._lay_out_settings()
        with gr.Column(elem_id="text-results") as self.text_results:
            self._lay_out_text_results()
        with gr.Column(elem_id="file-results", visible=False) as self.file_results:
            self._lay_out_file_results()

    def _lay_out_text(self) -> None:
        self.text = self._say(
            gr.Textbox,
            lambda text: {"label": text("text"), "placeholder": text("text_placeholder")},
            value=EXAMPLES[_FIRST_EXAMPLE],
            lines=4,
            max_lines=14,
            elem_id="text",
        )
        with gr.Row(elem_classes="few"):
            self._say(gr.HTML, lambda text: {"value": f'<p class="note">{text("examples")}</p>'})
            self.examples = {
                key: self._say(gr.Button, lambda text, key=key: {"value": text(key)}, size="sm", elem_id=key)
                for key in EXAMPLES
            }
        self.english = self._say(
            gr.HTML, lambda text: {"value": f'<p class="note">{text("english_note")}</p>'}, visible=False
        )
        with gr.Row(elem_classes="few"):
            self.button = self._say(
                gr.Button, lambda text: {"value": text("extract")}, variant="primary", elem_id="extract"
            )
            self._say(gr.HTML, lambda text: {"value": f'<p class="note">{text("keys")}</p>'})

    def _lay_out_file(self) -> None:
        limits = {
            "megabytes": f"{MAX_BYTES / 1024 / 1024:g}",
            "documents": f"{MAX_DOCUMENTS:,}",
            "characters": f"{MAX_CHARACTERS:,}",
        }
        self._say(gr.HTML, lambda text: {"value": f'<p class="note">{text("file_note", **limits)}</p>'})
        self.column = self._say(
            gr.Textbox, lambda text: {"label": text("text_column")}, value="text", max_lines=1, elem_id="column"
        )
        with gr.Row(elem_classes="few"):
            self.upload = self._say(gr.UploadButton, lambda text: {"label": text("choose_file")}, elem_id="upload")
            self.file_button = self._say(
                gr.Button, lambda text: {"value": text("extract_file")}, variant="primary", elem_id="extract-file"
            )

    def _lay_out_settings(self) -> None:
        self.model = self._say(
            gr.Radio,
            lambda text: {
                "label": text("model"),
                **({"info": text("model_info")} if {"base", "lite"} <= {*self._models} else {}),
            },
            choices=self._models,
            value=self._models[0],
            elem_id="model",
        )
        self.border = self._say(
            gr.Slider,
            lambda text: {"label": text("border"), "info": text("border_info")},
            minimum=0,
            maximum=1,
            step=LOWEST_BORDER,
            value=0,
            buttons=[],
            elem_id="border",
        )
        self.score = self._say(
            gr.Slider,
            lambda text: {"label": text("score"), "info": text("score_info")},
            minimum=0,
            maximum=1,
            step=0.05,
            value=0,
            buttons=[],
            elem_id="score",
        )
        self.rules = self._say(
            gr.Checkbox, lambda text: {"label": text("rules"), "info": text("rules_info")}, value=True, elem_id="rules"
        )

    def _lay_out_text_results(self) -> None:
        self.status = gr.HTML(EMPTY.html("en"), elem_id="status")
        with gr.Column(visible=False) as self.found:
            self._heading("sentence_heading")
            self.sentence = gr.HTML(elem_id="sentence", apply_default_css=False)
            self._heading("table_heading")
            self.table = gr.Dataframe(
                triples_table((), "en"),
                datatype="str",
                interactive=False,
                wrap=True,
                elem_id="table",
                buttons=[],
                max_height=720,
            )
            self._heading("graph_heading")
            self.graph = gr.HTML(elem_id="graph", apply_default_css=False)
            with self._say(gr.Accordion, lambda text: {"label": text("json_heading")}, open=False, elem_id="json"):
                self.json = gr.Code(language="json", show_label=False, max_lines=30, interactive=False)

    def _lay_out_file_results(self) -> None:
        self.file_status = gr.HTML(EMPTY_FILE.html("en"), elem_id="file-status")
        with gr.Column(visible=False) as self.file_found:
            with gr.Row(elem_classes="few"):
                self.downloads = [
                    self._say(gr.DownloadButton, lambda text, key=key: {"label": text(key)}, elem_id=key)
                    for key in ("download_jsonl", "download_csv", "download_problems")
                ]
            self._heading("preview_heading")
            self.preview = gr.Dataframe(
                preview_table((), "en"),
                datatype="str",
                interactive=False,
                wrap=True,
                elem_id="preview",
                buttons=[],
                max_height=720,
            )

    def _heading(self, key: str) -> None:
        self._say(gr.HTML, lambda text: {"value": f'<h2 class="heading">{text(key)}</h2>'})

    def _say(self, kind: Any, labels: Callable[..., dict[str, Any]], **options: Any) -> Any:
        """Create a component whose labels change with the language."""

        def in_language(language: Language) -> dict[str, Any]:
            return labels(lambda key, **values: say(language, key, **values))

        component = kind(**in_language("en"), **options)
        self.labels.append((component, in_language))
        return component
