"""What the pipeline returns for a text."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, overload

from .drawing import WIDTH, render
from .schema import Triple

if TYPE_CHECKING:
    import pyarrow as pa


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

    def render(self, style: Literal["html", "svg"] = "html", *, width: int = WIDTH) -> str:
        """Draw the text and its triples, see [`hf_spo.render`]."""
        return render(self.text, self, style, width=width)

    def _repr_html_(self) -> str:
        return self.render()

    def to_arrow(self) -> "pa.Table":
        """Return a table with a row for each triple."""
        from .tables import triple_table

        return triple_table(self)

    def to_pandas(self) -> Any:
        """Return a data frame with a row for each triple."""
        return self.to_arrow().to_pandas()
