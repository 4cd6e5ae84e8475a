"""hf-spo: extract triples, fine-tune a model, evaluate it.

What imports torch is imported inside the command that needs it, so that `--help` and mistyped options answer at once.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from enum import StrEnum
from importlib.metadata import version
from io import TextIOWrapper
from itertools import tee
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from .console import (
    BadLines,
    LogHandler,
    count_lines,
    is_terminal,
    json_line,
    progress_bar,
    say,
    scores_table,
    triples_table,
    whole_file,
)
from .extraction import OnTruncation
from .metrics import Match

if TYPE_CHECKING:
    from .pipeline import TripleExtractionPipeline


class DType(StrEnum):
    """Number formats that a model can be loaded in."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class OneLineErrors(TyperGroup):
    """Commands whose errors are one readable line on stderr, and whose exit code says whose fault it was."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command line and exit: 0 done, 1 the work failed, 2 wrong usage."""
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except typer.TyperException as error:
            path = getattr(getattr(error, "ctx", None), "command_path", "hf-spo")
            if error.format_message():  # empty where the help was shown instead
                say(f"{path}: {error.format_message().rstrip('.')}; see {path} --help")
            code = error.exit_code
        sys.exit(code or 0)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, turning exceptions into a line and an exit code unless --debug asks for them."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read our output has enough. Nothing more may reach the closed pipe, not even at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except (typer.TyperException, typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            say(f"hf-spo: error: {_explain(error)}")
            raise typer.Exit(1) from None
        return result


app = typer.Typer(
    cls=OneLineErrors,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every command explains itself: [bold]hf-spo extract --help[/]",
)

_MODEL, _DECODING, _FILES = "Model", "Decoding", "Input and output"

Model = Annotated[
    str | None,
    typer.Option(
        metavar="base|lite|FOLDER|NAME",
        help="base or lite, the models inside the package; or the folder of a trained model, or its name on the Hub.",
        show_default="base",
        rich_help_panel=_MODEL,
    ),
]
BatchSize = Annotated[int, typer.Option(min=1, metavar="N", help="Texts in one forward pass.", rich_help_panel=_MODEL)]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="DEVICE",
        help="cpu, cuda, cuda:1, mps, …",
        show_default="the fastest there is",
        rich_help_panel=_MODEL,
    ),
]
Precision = Annotated[
    DType | None,
    typer.Option(
        "--dtype", help="Number format to compute in.", show_default="the model's own", rich_help_panel=_MODEL
    ),
]
_THRESHOLD: dict[str, Any] = {"min": 0, "max": 1, "metavar": "P", "rich_help_panel": _DECODING}
Threshold = Annotated[
    float | None,
    typer.Option(
        help="A token is a border where its probability exceeds this: sets the four below. Higher finds fewer, surer "
        "triples.",
        show_default="the model's own",
        **_THRESHOLD,
    ),
]
SubjectStart = Annotated[
    float | None, typer.Option("--subject-start-threshold", help="For first tokens of subjects.", **_THRESHOLD)
]
SubjectEnd = Annotated[
    float | None, typer.Option("--subject-end-threshold", help="For last tokens of subjects.", **_THRESHOLD)
]
ObjectStart = Annotated[
    float | None, typer.Option("--object-start-threshold", help="For first tokens of objects.", **_THRESHOLD)
]
ObjectEnd = Annotated[
    float | None, typer.Option("--object-end-threshold", help="For last tokens of objects.", **_THRESHOLD)
]
Truncation = Annotated[
    OnTruncation,
    typer.Option(help="What to do with a text longer than the model reads.", rich_help_panel=_DECODING),
]
SkipBadLines = Annotated[
    bool,
    typer.Option(
        "--skip-bad-lines",
        help="Set lines that cannot be read aside in FILE.bad.jsonl, next to the output or in the current folder, "
        "instead of stopping at the first.",
        rich_help_panel=_FILES,
    ),
]
AsJson = Annotated[
    bool | None,
    typer.Option(
        "--json/--table",
        help="Print JSON, or a table.",
        show_default="a table on a terminal, JSON elsewhere",
        rich_help_panel=_FILES,
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hf-spo {version('hf-spo')}")
        raise typer.Exit


@app.callback()
def hf_spo(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None:
    """Extract (subject, predicate, object) triples from text."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # JSON is UTF-8 whatever the locale says; bytes that are not survive as lone surrogates.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    logging.getLogger("hf_spo").handlers = [LogHandler()]


@app.command(no_args_is_help=False)
def extract(
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT…", help="Texts; - reads lines from stdin.", show_default=False)
    ] = None,
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help='Texts to read: .txt, one a line, or .jsonl, objects with "text".',
            rich_help_panel=_FILES,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", dir_okay=False, help="Write JSON lines here, all or nothing.", rich_help_panel=_FILES
        ),
    ] = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
    model: Model = None,
    batch_size: BatchSize = 32,
    device: Device = None,
    dtype: Precision = None,
    threshold: Threshold = None,
    subject_start_threshold: SubjectStart = None,
    subject_end_threshold: SubjectEnd = None,
    object_start_threshold: ObjectStart = None,
    object_end_threshold: ObjectEnd = None,
    top_k: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Keep this many triples of a text, the best scored.",
            show_default="all",
            rich_help_panel=_DECODING,
        ),
    ] = None,
    on_truncation: Truncation = OnTruncation.WARN,
) -> None:
    """Extract triples from texts: a table on a terminal, elsewhere one line of JSON a text.

    Scores are probabilities; offsets count characters of the text as it was given.

    [dim]hf-spo extract 《战狼2》的导演和主演都是吴京。
    hf-spo extract --input texts.txt --output triples.jsonl
    cat texts.txt | hf-spo extract - | jq .triples[/]
    """
    if input_file is not None and input_file.suffix not in (".txt", ".jsonl"):
        raise typer.BadParameter(f'{input_file}: expected .txt, one text a line, or .jsonl, objects with "text"')
    if input_file is not None and texts:
        raise typer.BadParameter("got both TEXT and --input; give one of them")
    if input_file is None and not texts:
        if is_terminal(sys.stdin):
            raise typer.BadParameter(
                "nothing to extract from; give a TEXT, --input FILE, or - to read lines from stdin"
            )
        texts = ["-"]
    parameters = _decoding_parameters(
        threshold,
        subject_start_threshold=subject_start_threshold,
        subject_end_threshold=subject_end_threshold,
        object_start_threshold=object_start_threshold,
        object_end_threshold=object_end_threshold,
    )
    bad_lines = BadLines(output.parent if output else Path()) if skip_bad_lines else None
    with ExitStack() as stack:
        if bad_lines is not None:
            stack.callback(bad_lines.write)
        # Opened before the model is loaded: that a folder is missing should not take seconds to say.
        file = stack.enter_context(whole_file(output)) if output else None
        show = _writer(file, as_json)
        pipe = _pipeline(model, device, dtype)
        read = _read_texts(texts or [], input_file, bad_lines)
        if input_file is not None:
            read = progress_bar(read, count_lines(input_file), "extracting") if file else read
        ours, theirs = tee(read)
        results = pipe(theirs, batch_size=batch_size, top_k=top_k, on_truncation=on_truncation.value, **parameters)
        for text, triples in zip(ours, results, strict=True):
            show(text, triples)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    context: typer.Context,
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE.yaml", exists=True, dir_okay=False, help="What to train, and how.")
    ],
    encoder: Annotated[
        str | None,
        typer.Option(metavar="FOLDER|NAME", help="Pretrained encoder to start from.", show_default="the recipe's"),
    ] = None,
    train: Annotated[
        str | None, typer.Option(metavar="FILE", help="Labelled texts to train on.", show_default="the recipe's")
    ] = None,
    dev: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Labelled texts to choose the best weights by.", show_default="the recipe's"),
    ] = None,
    schema: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Relations to extract.", show_default="the recipe's, else those of the data"),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Where the model goes, and checkpoints.", show_default="the recipe's"),
    ] = None,
    words: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Table of word vectors in word2vec's format, for an encoder that starts at random.",
            show_default="the recipe's",
        ),
    ] = None,
    texts: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Unlabelled texts, from which such an encoder also takes characters and words.",
            show_default="the recipe's",
        ),
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Known triples, .tsv or .jsonl, for a model that reads them.",
            show_default="the recipe's, else those of the training texts",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint in the output folder.")
    ] = False,
    skip_bad_lines: SkipBadLines = False,
) -> None:
    """Fine-tune a model on labelled texts, as a recipe says.

    Any training argument of transformers may follow, and overrides the recipe: --learning-rate 1e-4 --seed 7

    [dim]hf-spo train recipe.yaml --train train.jsonl --dev dev.jsonl --output my-model
    hf-spo train recipe.yaml --encoder google-bert/bert-base-chinese --num-train-epochs 5[/]
    """
    from .training.recipe import Recipe, RecipeError, run_recipe

    logging.getLogger("hf_spo").setLevel(logging.INFO)
    try:
        plan = Recipe.from_file(recipe).override(
            encoder=encoder, train=train, dev=dev, schema=schema, output=output, words=words, texts=texts, prior=prior
        )
        bad_lines = BadLines(Path(plan.output or "").parent)
        try:
            metrics = run_recipe(plan, context.args, resume=resume, on_bad_line=bad_lines if skip_bad_lines else None)
        finally:
            if _is_first_process():
                bad_lines.write()
    except RecipeError as error:
        raise typer.BadParameter(str(error)) from None
    if _is_first_process():
        say(f"hf-spo: the model is in {plan.output}")
        typer.echo(json_line({"model": plan.output, **metrics}))


@app.command()
def evaluate(
    data: Annotated[
        Path,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="Labelled texts to score on.", rich_help_panel=_FILES
        ),
    ],
    match: Annotated[
        list[Match] | None,
        typer.Option(
            help="When a triple is right. strict: subject, predicate and object are those of the data; lenient: so are "
            "their tokens; span: they stand at the same place, too; full: strict, with types and qualifiers. "
            "May be repeated.",
            show_default="strict",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Write the scores here as JSON.", rich_help_panel=_FILES),
    ] = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
    model: Model = None,
    batch_size: BatchSize = 32,
    device: Device = None,
    dtype: Precision = None,
    threshold: Threshold = None,
    subject_start_threshold: SubjectStart = None,
    subject_end_threshold: SubjectEnd = None,
    object_start_threshold: ObjectStart = None,
    object_end_threshold: ObjectEnd = None,
    on_truncation: Truncation = OnTruncation.WARN,
) -> None:
    """Score a model on labelled texts: precision, recall and F1 of its triples.

    [dim]hf-spo evaluate --model my-model --data dev.jsonl --match strict --match full[/]
    """
    parameters = _decoding_parameters(
        threshold,
        subject_start_threshold=subject_start_threshold,
        subject_end_threshold=subject_end_threshold,
        object_start_threshold=object_start_threshold,
        object_end_threshold=object_end_threshold,
    )
    bad_lines = BadLines(output.parent if output else Path()) if skip_bad_lines else None
    with ExitStack() as stack:
        if bad_lines is not None:
            stack.callback(bad_lines.write)
        file = stack.enter_context(whole_file(output)) if output else None
        pipe = _pipeline(model, device, dtype)
        report = _score(pipe, data, match or [Match.STRICT], batch_size, bad_lines, on_truncation, parameters)
        if file:
            file.write(json_line(report) + "\n")
    if is_terminal(sys.stdout) if as_json is None else not as_json:
        Console().print(scores_table(report["scores"]))
    else:
        typer.echo(json_line(report))


def _score(
    pipe: "TripleExtractionPipeline",
    data: Path,
    matches: list[Match],
    batch_size: int,
    bad_lines: BadLines | None,
    on_truncation: OnTruncation,
    parameters: dict[str, float],
) -> dict[str, Any]:
    """Extract once, and score in each way of matching."""
    from .data import read_examples
    from .metrics import TripleScorer

    assert pipe.tokenizer is not None
    tokenize = pipe.tokenizer.tokenize
    examples = list(read_examples(data, bad_lines))
    if not examples:
        raise ValueError(f"{data} holds no labelled text; expected one JSON object a line")
    scorers = {match: TripleScorer(match, tokenize) for match in dict.fromkeys(matches)}
    extractor = pipe.extractor(on_truncation=on_truncation.value, **parameters)
    found = extractor((example.text for example in examples), batch_size)
    for example, triples in zip(progress_bar(examples, len(examples), "evaluating"), found, strict=True):
        for scorer in scorers.values():
            scorer.add(triples, example.triples)
    scores = {match.value: scorer.score().to_dict() for match, scorer in scorers.items()}
    return {"model": pipe.model.name_or_path, "data": str(data), "texts": len(examples), "scores": scores}


def _pipeline(model: str | None, device: str | None, dtype: DType | None) -> "TripleExtractionPipeline":
    """Load a model, from the package if none is named."""
    import transformers

    from .packaged import PACKAGED, packaged
    from .pipeline import TripleExtractionPipeline

    untyped: Any = transformers.utils.logging
    untyped.disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(
        logging.ERROR
    )  # it tells of every retry, and the error at the end too
    name = "base" if model is None else model
    # A folder of the user's goes before a name of ours.
    ours = name in PACKAGED and not Path(name).is_dir()
    folder = str(packaged(name)) if ours else name
    if not Path(folder).is_dir():
        if ours:
            raise FileNotFoundError(
                f"there is no model in {folder}; this installation is not whole: install hf-spo again"
            )
        if folder.startswith((".", "/", "~")) or folder.count("/") > 1:
            raise FileNotFoundError(f"{folder} is no folder; --model takes a trained model's folder or its Hub name")
        say(f"hf-spo: no folder {folder} here; asking the Hub for a model of that name")
    chosen = {"device": device, "dtype": dtype and dtype.value}
    build: Any = transformers.pipeline  # its overloads list the tasks of transformers only
    pipe = build(
        "triple-extraction", model=folder, **{name: value for name, value in chosen.items() if value is not None}
    )
    assert isinstance(pipe, TripleExtractionPipeline)
    return pipe


def _read_texts(texts: Iterable[str], path: Path | None, bad_lines: BadLines | None) -> Iterator[str]:
    from .data import read_texts

    if path is not None:
        yield from read_texts(path, bad_lines)
    for text in texts:
        if text == "-":
            yield from (line.rstrip("\n") for line in sys.stdin)
        else:
            yield text


def _writer(file: IO[str] | None, as_json: bool | None) -> Callable[[str, list[dict[str, Any]]], None]:
    """Choose how a text and its triples are shown: JSON lines in a file or a pipe, a table on a terminal."""
    if file is None and (is_terminal(sys.stdout) if as_json is None else not as_json):
        console = Console(highlight=False)
        return lambda text, triples: console.print(triples_table(text, triples))

    def write(text: str, triples: list[dict[str, Any]]) -> None:
        print(json_line({"text": text, "triples": triples}), file=file or sys.stdout)

    return write


def _decoding_parameters(threshold: float | None, **thresholds: float | None) -> dict[str, float]:
    """Return the thresholds that were given; a particular one goes before the common one."""
    given = {name: threshold if value is None else value for name, value in thresholds.items()}
    return {name: value for name, value in given.items() if value is not None}


def _is_first_process() -> bool:
    return os.environ.get("RANK", "0") == "0"  # set by torchrun


def _explain(error: Exception) -> str:
    """Put an exception into words: its own, where it was raised for a reader; else its kind as well."""
    message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if isinstance(error, ValueError | OSError | TypeError | ImportError) and message:
        return message
    return f"{type(error).__name__}: {message} (run `hf-spo --debug …` for the traceback)"


if __name__ == "__main__":
    app(prog_name="hf-spo")
