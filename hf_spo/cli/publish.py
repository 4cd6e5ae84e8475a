"""hf-spo publish."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer
from rich.console import Console, Group

from ..loading.locations import find_model
from ..support.files import whole_folder
from .console import file_sizes, print_report, say
from .models import silence_libraries
from .options import FILE, NEW_FOLDER, AsJson, command, option

if TYPE_CHECKING:
    from ..hub.repository import RepositoryOptions


@dataclass(frozen=True, slots=True)
class CardOptions:
    """Contents of the model card."""

    PANEL: ClassVar = "Model card"

    report: Annotated[
        Path | None,
        option("Scores for the card: what evaluate wrote with --report or --output.", metavar="PATH", exists=True),
    ] = None
    data: Annotated[str | None, option("Training data: a name on the Hub, or a description.", metavar="TEXT")] = None
    licence: Annotated[
        str | None,
        option(
            "License of the weights, by its name on the Hub: apache-2.0, cc-by-4.0, …", "--licence", "--license",
            metavar="NAME",
        ),
    ] = None  # fmt: skip
    language: Annotated[
        list[str] | None, option("Language of the texts: zh, en, … May be repeated.", metavar="CODE")
    ] = None
    base_model: Annotated[str | None, option("The encoder on the Hub that training started from.", metavar="NAME")] = (
        None
    )
    recipe: Annotated[Path | None, option("Recipe of the training; the card shows it.", **FILE)] = None
    example: Annotated[
        list[str] | None,
        option("Text to show with the triples that the model finds. May be repeated.", metavar="TEXT"),
    ] = None
    card: Annotated[Path | None, option("Card to use instead of a generated one.", **FILE)] = None
    overwrite_card: Annotated[
        bool, option("Replace a card on the Hub that was edited there; by default it is kept.", "--overwrite-card")
    ] = False

    def repository_options(
        self, repo: str, *, onnx: bool, standalone: bool, requirement: str | None
    ) -> "RepositoryOptions":
        """Read the files and return the contents of the repository.

        Raises:
            typer.BadParameter: the name of the repository is malformed, or other contents are given beside a card.
            ValueError: the requirement is not an address for pip.
        """
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # not named as exported

        from ..hub.card_files import read_card, read_text
        from ..hub.repository import RepositoryOptions

        try:
            validate_repo_id(repo)
        except HFValidationError:
            raise typer.BadParameter(
                f"{repo!r} is not a name of a repository: expected USER/NAME, or NAME for one of yours, of letters, "
                f"digits, single '-' and '.', and '_'"
            ) from None
        names = ("report", "data", "licence", "base_model", "language")
        about = {name: getattr(self, name) for name in names}
        given = [name for name, value in {**about, "recipe": self.recipe, "example": self.example}.items() if value]
        if self.card is not None and given:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise typer.BadParameter(f"--card is the whole card; leave out {options}")
        recipe = None if self.recipe is None else read_text(self.recipe)
        return RepositoryOptions(
            None if self.card is None else read_card(self.card),
            {**about, "language": self.language or (), "recipe": recipe},
            self.example or (),
            onnx,
            standalone,
            requirement,
        )


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """How the repository is uploaded."""

    PANEL: ClassVar = "Hub"

    private: Annotated[bool, option("Create a private repository.", "--private")] = False
    revision: Annotated[str | None, option("Branch of the repository.", default="main", metavar="BRANCH")] = None
    commit_message: Annotated[
        str | None, option("Message of the commit.", default="Publish by hf-spo", metavar="TEXT")
    ] = None


@command()
def publish(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Folder of a trained model or ensemble, or base or lite.")
    ],
    repo: Annotated[
        str, typer.Argument(metavar="REPO", help="Name of the repository: USER/NAME, or NAME for one of yours.")
    ],
    about: CardOptions,
    upload: UploadOptions,
    onnx: Annotated[bool, option("Add an ONNX export in onnx/, which runs without torch.", "--onnx")] = False,
    standalone: Annotated[
        bool,
        option(
            "Add the code of the model, so that it can be loaded with trust_remote_code=True where hf_spo is not "
            "installed.",
            "--standalone",
        ),
    ] = False,
    requirement: Annotated[
        str | None,
        option(
            "Address to install hf-spo from, for requirements.txt and the card: https://… of a wheel, or git+https://… "
            "of a repository.",
            default="the package index",
            metavar="URL",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        option("Write the repository to this folder and upload nothing.", "--output", "-o", **NEW_FOLDER),
    ] = None,
    as_json: AsJson = None,
) -> None:
    """Upload a trained model to the Hub: weights, tokenizer, card, and the handler for Inference Endpoints.

    Other files of the folder, such as checkpoints, are not uploaded; the uploaded files are printed. Log in first, with
    `hf auth login`.

    Examples:
      hf-spo publish my-model me/my-model --report report --licence apache-2.0 --language zh
      hf-spo publish my-model me/my-model --output look-at-it-first
      hf-spo publish my-model me/my-model --onnx --standalone --private
    """
    contents = about.repository_options(repo, onnx=onnx, standalone=standalone, requirement=requirement)
    folder = Path(find_model(model))
    if output is None:
        overwrite_card = about.overwrite_card or about.card is not None
        report = _upload(folder, repo, contents, upload, overwrite_card=overwrite_card)
    else:
        if upload != UploadOptions():
            raise typer.BadParameter("--output uploads nothing; leave out --private, --revision and --commit-message")
        report = _write(folder, repo, contents, output)
    print_report(report, as_json, lambda: _layout(report))


def _write(model: Path, repo: str, contents: "RepositoryOptions", output: Path) -> dict[str, Any]:
    with whole_folder(output) as part:
        _build(model, part, repo, contents)
        paths = [path for path in sorted(part.rglob("*")) if path.is_file()]
        files = {path.relative_to(part).as_posix(): path.stat().st_size for path in paths}
    say(f"hf-spo: the repository is in {output}; nothing was uploaded")
    return {"folder": str(output), "files": files}


def _upload(
    model: Path, repo: str, contents: "RepositoryOptions", upload: UploadOptions, *, overwrite_card: bool
) -> dict[str, Any]:
    from ..hub.publisher import HubPublisher
    from ..hub.saved_model import SavedModel

    SavedModel.read(model).files()  # an error in the folder needs no account
    publisher = HubPublisher()
    name = publisher.full_name(repo)
    with TemporaryDirectory(prefix="hf-spo-") as part:
        _build(model, Path(part), name, contents)
        done = publisher.publish(
            Path(part),
            name,
            private=upload.private,
            revision=upload.revision,
            message=upload.commit_message,
            overwrite_card=overwrite_card,
        )
    if done.card_kept:
        say(f"hf-spo: {name} has a README.md that was edited; it was kept (--overwrite-card replaces it)")
    return {"url": done.url, "commit": done.commit, "files": done.files, "removed": done.removed}


def _build(model: Path, folder: Path, repo: str, options: "RepositoryOptions") -> None:
    from ..hub.repository import build_repository, is_from_index

    silence_libraries()
    with Console(stderr=True).status("reading the model") as status:
        saved = build_repository(model, folder, repo, options, on_step=status.update)
    if others := saved.other_files():
        say(f"hf-spo: not part of the model, left out: {', '.join(others)}")
    if options.address is None and not is_from_index():
        say(
            "hf-spo: warning: requirements.txt names hf-spo on the package index, and this one was not installed from "
            "there; if the index does not have it, pass --requirement URL"
        )


def _layout(report: Mapping[str, Any]) -> Group:
    table = file_sizes(report["files"])
    for name in report.get("removed", ()):
        table.add_row(name, "removed")
    return Group(table, report.get("url") or report["folder"])
