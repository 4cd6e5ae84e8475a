"""Features of labelled texts for `datasets`, and DuIE files loaded with them."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from datasets import (
    Dataset,
    DatasetDict,
    Features,
    IterableDataset,
    IterableDatasetDict,
    Json,
    List,
    NamedSplit,
    Value,
)
from datasets.exceptions import DatasetGenerationError

from ..support.tables import NESTED_TRIPLE
from .formats.base import ConversionReport, DataFormatError
from .formats.duie import example_from_duie
from .formats.json_rows import parsed_rows

DUIE_FEATURES = Features(
    {
        "text": Value("string"),
        "spo_list": List(
            {
                "predicate": Value("string"),
                "subject": Value("string"),
                "subject_type": Value("string"),
                # A string in DuIE 1.0, an object of slots in 2.0.
                "object": Json(),
                "object_type": Json(),
            }
        ),
        # Null where the labels of all predicates are complete.
        "annotated_predicates": List(Value("string")),
    }
)

TRIPLE_FEATURES = Features({**Features.from_arrow_schema(NESTED_TRIPLE), "qualifiers": Json()})
"""Features of a triple as the pipelines return it.

Give them to `Dataset.map`, for which a first batch without any triple has no type: `features=Features({**data.features,
"triples": List(TRIPLE_FEATURES)})`.
"""

Files = str | Path | Iterable[str | Path]


def load_duie(data_files: Files | Mapping[str, Files], *, streaming: bool = False) -> DatasetDict | IterableDatasetDict:
    """Load DuIE files with `datasets`; the features do not depend on the slots and columns of a file.

    Args:
        data_files: one file or several (split "train"), or files by split.
        streaming: read while iterating, without a copy in the cache.

    Raises:
        DataFormatError: a line is not a DuIE row; the message has file, line and field. Streaming, it is raised while
            iterating.
        FileNotFoundError: there is no such file.
    """
    by_split = data_files if isinstance(data_files, Mapping) else {"train": data_files}
    splits = {split: [files] if isinstance(files, str | Path) else list(files) for split, files in by_split.items()}
    arguments = {
        split: {"paths": [str(path) for path in paths], "stamps": [_stamp(Path(path)) for path in paths]}
        for split, paths in splits.items()
    }
    if streaming:
        return IterableDatasetDict(
            {
                split: IterableDataset.from_generator(
                    _rows, features=DUIE_FEATURES, gen_kwargs=given, split=NamedSplit(split)
                )
                for split, given in arguments.items()
            }
        )
    try:
        return DatasetDict(
            {
                split: Dataset.from_generator(_rows, features=DUIE_FEATURES, gen_kwargs=given, split=NamedSplit(split))
                for split, given in arguments.items()
            }
        )
    except DatasetGenerationError as error:
        if isinstance(error.__cause__, DataFormatError):
            raise error.__cause__ from None
        raise


def _stamp(path: Path) -> str:
    """Return a value that changes with the file, for the cache, whose keys are the generator's arguments."""
    state = path.stat()
    return f"{state.st_mtime_ns}-{state.st_size}"


def _rows(paths: list[str], stamps: list[str]) -> Iterator[dict[str, Any]]:
    for path in paths:
        yield from parsed_rows(Path(path), _row, ConversionReport())


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    example_from_duie(row)  # raises where a field is wrong
    fields = DUIE_FEATURES["spo_list"].feature
    return {
        "text": row["text"],
        "spo_list": [{name: entry[name] for name in fields} for entry in row["spo_list"]],
        "annotated_predicates": row.get("annotated_predicates"),
    }
