"""What the pipelines take and return."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module
from os import PathLike
from typing import Any, Literal, Protocol, SupportsIndex, Unpack, overload

from .options import ExtractionKwargs
from .schema import Triple, TripleDict


class Triples(list[TripleDict]):
    """The triples of a text: a list of dictionaries with a picture, which a notebook shows, and a table.

    The picture is that of `triples`; changes to the list do not reach it.

    Args:
        triples: [`Triple`]s, or dictionaries in the form of [`Triple.to_dict`].
        text: the text that the triples are from.

    Attributes:
        triples: the same as [`Triple`] objects.
        text: see there.

    Raises:
        ValueError: a dictionary is not a triple.
    """

    def __init__(self, triples: Iterable[Mapping[str, Any] | Triple] = (), text: str = "") -> None:
        given = list(triples)
        super().__init__(triple.to_dict() if isinstance(triple, Triple) else _copy(triple) for triple in given)
        self.triples = tuple(triple if isinstance(triple, Triple) else Triple.from_dict(triple) for triple in given)
        self.text = text

    @overload
    def __getitem__(self, index: SupportsIndex) -> TripleDict: ...

    @overload
    def __getitem__(self, index: slice) -> "Triples": ...

    def __getitem__(self, index: SupportsIndex | slice) -> "TripleDict | Triples":
        if isinstance(index, slice):
            return Triples(self.triples[index], self.text)
        return super().__getitem__(index)

    def render(self, style: Literal["html", "svg"] = "html", *, width: int | None = None) -> str:
        """Draw the text and its triples, see [`hf_spo.render`]."""
        size = {} if width is None else {"width": width}
        picture: str = _room("drawing").render(self.text, self.triples, style, **size)
        return picture

    def _repr_html_(self) -> str | None:
        try:
            return self.render()
        except ImportError:  # of a model with its own code, without the package: a notebook shows the list
            return None

    def to_arrow(self) -> Any:
        """Return a `pyarrow.Table` with a row for each triple."""
        return _room("support.tables").triple_table(self)

    def to_pandas(self) -> Any:
        """Return a data frame with a row for each triple."""
        return self.to_arrow().to_pandas()


def _copy(triple: Mapping[str, Any]) -> TripleDict:
    return dict(triple)  # type: ignore[return-value]  # Triple.from_dict checks it


class TriplesStream(Iterator[Triples]):
    """An iterator over the triples of texts whose number is known; `len` is that number.

    Args:
        results: the triples of each text.
        length: number of texts.
    """

    def __init__(self, results: Iterator[Triples], length: int) -> None:
        self._results = results
        self._length = length

    def __next__(self) -> Triples:
        return next(self._results)

    def __len__(self) -> int:
        return self._length


class IndexedTexts(Protocol):
    """Texts by their number, such as a `KeyDataset`."""

    def __len__(self) -> int:
        """Count the texts."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """Return a text."""
        ...


class _Array(Protocol):
    def tolist(self) -> Any: ...


class _Series(Protocol):
    def to_list(self) -> Any: ...


class _ArrowArray(Protocol):
    def to_pylist(self) -> Any: ...


Column = _Array | _Series | _ArrowArray
"""An array of numpy, or a column of pandas, polars or Arrow."""


class ExtractionCall:
    """What the call of a pipeline takes and returns: a text, a list or a stream of texts."""

    _batch_size: int | None

    @overload
    def __call__(  # type: ignore[overload-overlap]  # a text is an iterable of texts, too
        self, inputs: str, *, batch_size: int | None = None, **options: Unpack[ExtractionKwargs]
    ) -> Triples: ...

    @overload
    def __call__(  # type: ignore[overload-overlap]  # a list is an iterable, too
        self,
        inputs: list[str] | tuple[str, ...] | Column,
        *,
        batch_size: int | None = None,
        **options: Unpack[ExtractionKwargs],
    ) -> list[Triples]: ...

    @overload
    def __call__(
        self, inputs: IndexedTexts, *, batch_size: int | None = None, **options: Unpack[ExtractionKwargs]
    ) -> TriplesStream: ...

    @overload
    def __call__(
        self, inputs: Iterable[str], *, batch_size: int | None = None, **options: Unpack[ExtractionKwargs]
    ) -> Iterator[Triples]: ...

    def __call__(self, inputs: Any, *, batch_size: int | None = None, **options: Any) -> Any:
        """Extract triples from a text, a list of texts, or a stream of texts.

        Args:
            inputs: one text gives its [`Triples`]; a list, tuple, array or column of texts a list of them; a generator,
                `Dataset` or `KeyDataset` gives an iterator, which has a length if the texts have one.
            batch_size: the most texts, or windows of long ones, in one forward pass.
            options: see [`ExtractionOptions`]; they go before those of the construction.

        Raises:
            TypeError: an input is not a string, or an argument is unknown.
            ValueError: an argument is out of range.
        """
        return self._run(inputs, self._batch_size if batch_size is None else batch_size, options)

    def _run(self, inputs: Any, batch_size: int | None, options: dict[str, Any]) -> Any:
        raise NotImplementedError


Collect = Callable[[Iterator[Triples]], Any]


def read_inputs(inputs: Any) -> tuple[Iterable[str], Collect]:
    """Return the texts of a pipeline's input, and what makes the output of their triples.

    One text gives its [`Triples`]; a list, a tuple, an array or a column of a table in memory gives a list of them;
    anything else that can be iterated or indexed gives an iterator of them.

    Raises:
        TypeError: the input is none of these.
    """
    if isinstance(inputs, str):
        return [inputs], next
    if isinstance(inputs, list | tuple):
        return inputs, list
    for convert in ("tolist", "to_list", "to_pylist"):  # of numpy and pandas; polars; Arrow
        if hasattr(inputs, convert) and not isinstance(inputs, memoryview):
            return read_inputs(getattr(inputs, convert)())
    if not isinstance(inputs, bytes | bytearray | memoryview | dict) and not hasattr(inputs, "columns"):
        try:
            length = len(inputs)
        except TypeError:  # of a generator, or of what wraps a stream
            length = None
        collect = iter if length is None else partial(TriplesStream, length=length)
        if isinstance(inputs, Iterable):
            return inputs, collect
        if hasattr(inputs, "__getitem__") and length is not None:
            return (inputs[index] for index in range(length)), collect
    raise TypeError(f"expected a text (str), a list of texts or a stream of texts, got {describe_input(inputs)}")


def describe_input(value: object) -> str:
    """Describe what came in place of a text, for an error: its type, its beginning, and what to pass."""
    hint = ""
    if hasattr(value, "columns"):
        hint = 'of a table pass one column, frame["text"]'
    elif isinstance(value, Mapping):
        hint = 'pass row["text"], or of a data set one column, KeyDataset(dataset, "text")'
    elif isinstance(value, bytes | bytearray):
        hint = 'decode it, data.decode("utf-8")'
    elif isinstance(value, PathLike):
        hint = 'read the file, path.read_text(encoding="utf-8")'
    elif isinstance(value, list | tuple):
        hint = "pass all texts in one list, without lists inside"
    elif value is None or (isinstance(value, float) and value != value):
        hint = 'replace missing texts by "", frame["text"].fillna("")'
    elif hasattr(value, "__getitem__"):
        hint = 'of a stream without a length pass (row["text"] for row in dataset)'
    return f"{type(value).__name__}: {' '.join(repr(value).split()):.80}{hint and '; '}{hint}"


def _room(name: str) -> Any:
    """Import a part of the package that does not travel with a model's code.

    Raises:
        ImportError: the package is not installed.
    """
    try:
        return import_module(f"hf_spo.{name}")
    except ModuleNotFoundError as error:
        if error.name != "hf_spo":
            raise
        raise ImportError("pictures and tables of triples need hf_spo: pip install hf-spo") from None
