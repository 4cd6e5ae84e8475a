"""Split labelled texts into parts for training and evaluation by a hash of each text."""

import hashlib
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

_NAMES = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class Split:
    """Shares of the parts "train" and "dev", and of "test" if there are three.

    The part depends on the text's characters alone, without their width, case and white space. So copies of a text are
    in one part, the order of the data does not matter, and a text stays in its part when others are added. Actual
    shares are close to these, not equal.
    """

    shares: Sequence[float]

    def __post_init__(self) -> None:
        if len(self.shares) not in (2, 3) or not all(0 < share < 1 for share in self.shares):
            raise ValueError(f"{_shown(self.shares)}: {_EXPECTED}")
        if not math.isclose(sum(self.shares), 1, abs_tol=1e-6):
            raise ValueError(f"{_shown(self.shares)} sums to {sum(self.shares):g}; {_EXPECTED}")

    @classmethod
    def parse(cls, shares: str) -> Self:
        """Read shares such as "0.8/0.1/0.1".

        Raises:
            ValueError: they are not two or three numbers that sum to 1.
        """
        try:
            numbers = [float(share) for share in shares.split("/")]
        except ValueError:
            raise ValueError(f"{shares}: {_EXPECTED}") from None
        return cls(tuple(numbers))

    @property
    def parts(self) -> Sequence[str]:
        """The names of the parts."""
        return _NAMES[: len(self.shares)]

    def part(self, text: str) -> str:
        """Return the name of a text's part."""
        plain = "".join(unicodedata.normalize("NFKC", text).casefold().split())
        digest = hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        place, limit = int.from_bytes(digest) / 2**64, 0.0
        for name, share in zip(self.parts, self.shares, strict=True):
            limit += share
            if place < limit:
                return name
        return self.parts[-1]  # rounding may leave a gap below 1


def _shown(shares: Sequence[float]) -> str:
    return "/".join(f"{share:g}" for share in shares)


_EXPECTED = "expected two or three shares that sum to 1, such as 0.9/0.1 for train/dev or 0.8/0.1/0.1 with test"
