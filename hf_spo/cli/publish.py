"""hf-spo publish."""

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..loading.locations import find_model
from ..model.fields import json_line
from ..support.files import whole_folder
from .console import is_terminal, printable, say
from .models import silence_libraries
from .options import AsJson, command

if TYPE_CHECKING:
    from ..hub.repository import RepositoryOptions

_CARD_PANEL, _PARTS_PANEL, _HUB_PANEL = "Model card", "Further parts", "Hub"


@command()
def publish(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Folder of a trained model or ensemble, or base or lite.")
    ],
    repo: Annotated[
        str, typer.Argument(metavar="REPO", help="Name of the repository: USER/NAME, or NAME for one of yours.")
    ],
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            exists=True,
            help="Figures for the card: what evaluate wrote with --report or --output.",
            rich_help_panel=_CARD_PANEL,
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="What it was trained on: a name on the Hub, or in words.", rich_help_panel=_CARD_PANEL
        ),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(
            "--licence",
            "--license",
            metavar="NAME",
            help="Of the weights, as the Hub names it: apache-2.0, cc-by-4.0, …",
            rich_help_panel=_CARD_PANEL,
        ),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="Of the texts: zh, en, … May be repeated.", rich_help_panel=_CARD_PANEL),
    ] = None,
    base_model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The encoder that training started from, on the Hub.", rich_help_panel=_CARD_PANEL
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="The recipe that it was trained by, shown as it is.",
            rich_help_panel=_CARD_PANEL,
        ),
    ] = None,
    example: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="A text to show, with the triples that the model finds. May be repeated.",
            rich_help_panel=_CARD_PANEL,
        ),
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A card of your own, in place of the one that is written.",
            rich_help_panel=_CARD_PANEL,
        ),
    ] = None,
    overwrite_card: Annotated[
        bool,
        typer.Option(
            "--overwrite-card",
            help="Write over a card on the Hub that somebody edited; it is kept otherwise.",
            rich_help_panel=_CARD_PANEL,
        ),
    ] = False,
    onnx: Annotated[
        bool,
        typer.Option(
            "--onnx", help="Add an ONNX export in onnx/, which runs without torch.", rich_help_panel=_PARTS_PANEL
        ),
    ] = False,
    standalone: Annotated[
        bool,
        typer.Option(
            "--standalone",
            help="Add the code that runs the model without hf_spo, for those who load it with trust_remote_code=True.",
            rich_help_panel=_PARTS_PANEL,
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            file_okay=False,
            help="Build the repository in this folder, to look at it, and upload nothing.",
            rich_help_panel=_HUB_PANEL,
        ),
    ] = None,
    private: Annotated[
        bool,
        typer.Option("--private", help="Make a repository that only you see.", rich_help_panel=_HUB_PANEL),
    ] = False,
    revision: Annotated[
        str | None,
        typer.Option(metavar="BRANCH", help="Of the repository.", show_default="main", rich_help_panel=_HUB_PANEL),
    ] = None,
    commit_message: Annotated[
        str | None,
        typer.Option(metavar="TEXT", show_default="Publish by hf-spo", rich_help_panel=_HUB_PANEL),
    ] = None,
    as_json: AsJson = None,
) -> None:
    """Put a trained model on the Hub: weights, tokenizer, card, and what Inference Endpoints start.

    Training's leftovers stay at home: what is uploaded is printed. Log in first, by `hf auth login`.

    Examples:
      hf-spo publish my-model me/my-model --report report --licence apache-2.0 --language zh
      hf-spo publish my-model me/my-model --output look-at-it-first
      hf-spo publish my-model me/my-model --onnx --standalone --private
    """
    from ..hub.card_files import read_card, read_text
    from ..hub.repository import RepositoryOptions

    about = {"report": report, "data": data, "licence": licence, "base_model": base_model, "language": language}
    _check(repo, card, {**about, "recipe": recipe, "example": example})
    options = RepositoryOptions(
        None if card is None else read_card(card),
        {**about, "language": language or (), "recipe": recipe and read_text(recipe)},
        example or (),
        onnx,
        standalone,
    )
    folder = Path(find_model(model))
    if output is not None:
        if private or revision or commit_message:
            raise typer.BadParameter("--output uploads nothing; leave out --private, --revision and --commit-message")
        with whole_folder(output) as part:
            _build(folder, part, repo, options)
            files = {
                path.relative_to(part).as_posix(): path.stat().st_size
                for path in sorted(part.rglob("*"))
                if path.is_file()
            }
        say(f"hf-spo: the repository is in {output}; nothing was uploaded")
        _tell({"folder": str(output), "files": files}, as_json)
        return
    from ..hub.publisher import HubPublisher
    from ..hub.saved_model import SavedModel

    SavedModel.read(folder).files()  # an error in the folder needs no account
    publisher = HubPublisher()
    name = publisher.full_name(repo)
    with TemporaryDirectory(prefix="hf-spo-") as part:
        _build(folder, Path(part), name, options)
        done = publisher.publish(
            Path(part),
            name,
            private=private,
            revision=revision,
            message=commit_message,
            overwrite_card=overwrite_card or card is not None,
        )
    if done.card_kept:
        say(f"hf-spo: {name} has a README.md that somebody edited; it was kept (--overwrite-card writes a new one)")
    _tell({"url": done.url, "commit": done.commit, "files": done.files, "removed": done.removed}, as_json)


def _check(repo: str, card: Path | None, about: Mapping[str, Any]) -> None:
    """Refuse a name that the Hub would refuse, and what a card of one's own leaves no place for."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # not named as exported

    try:
        validate_repo_id(repo)
    except HFValidationError:
        raise typer.BadParameter(
            f"{repo!r} is no name of a repository: expected USER/NAME, or NAME for one of yours, of letters, digits, "
            f"single '-' and '.', and '_'"
        ) from None
    given = [f"--{name.replace('_', '-')}" for name, value in about.items() if value]
    if card is not None and given:
        raise typer.BadParameter(f"--card is the whole card; leave out {', '.join(given)}")


def _build(model: Path, folder: Path, repo: str, options: "RepositoryOptions") -> None:
    from ..hub.repository import build_repository

    silence_libraries()
    with Console(stderr=True).status("reading the model") as status:
        saved = build_repository(model, folder, repo, options, on_step=status.update)
    if others := saved.other_files():
        say(f"hf-spo: not part of the model, left out: {', '.join(others)}")


def _tell(result: Mapping[str, Any], as_json: bool | None) -> None:
    """Print what was done: files and sizes, and at the end where they are."""
    if not (is_terminal(sys.stdout) if as_json is None else not as_json):
        typer.echo(json_line(result))
        return
    table = Table(header_style="bold cyan", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("file", overflow="fold")
    table.add_column("size", justify="right")
    for name, size in result["files"].items():
        table.add_row(printable(name), _size(size))
    for name in result.get("removed", ()):
        table.add_row(printable(name), "removed")
    Console().print(table)
    typer.echo(result.get("url") or result["folder"])


def _size(size: int) -> str:
    for unit, name in ((1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} B"
