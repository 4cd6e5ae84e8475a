"""What the pipeline returns for a text."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, Literal, SupportsIndex, overload

from .schema import Triple


class Triples(list[dict[str, Any]]):
    """The triples of a text: a list of dictionaries that knows its text, draws itself and becomes a table.

    In a notebook it shows as a picture.

    Args:
        triples: in the JSON form of [`Triple.to_dict`], or [`Triple`]s.
        text: what they are from.
    """

    def __init__(self, triples: Iterable[Mapping[str, Any] | Triple] = (), text: str = "") -> None:
        super().__init__(triple.to_dict() if isinstance(triple, Triple) else dict(triple) for triple in triples)
        self.text = text

    @overload
    def __getitem__(self, index: SupportsIndex) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> "Triples": ...

    def __getitem__(self, index: SupportsIndex | slice) -> "dict[str, Any] | Triples":
        if isinstance(index, slice):
            return Triples(super().__getitem__(index), self.text)
        return super().__getitem__(index)

    def render(self, style: Literal["html", "svg"] = "html", *, width: int | None = None) -> str:
        """Draw the text and its triples, see [`hf_spo.render`]."""
        size = {} if width is None else {"width": width}
        picture: str = _room("drawing").render(self.text, self, style, **size)
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
