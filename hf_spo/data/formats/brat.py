"""brat standoff: a folder with a text file (.txt) and a file of annotations (.ann) for each text.

Offsets are code points of the text as brat reads it, line ends included. An entity that runs over a line end is kept
in fragments; other discontinuous entities have no place in triples. Read is a folder with its subfolders, or one pair
of files by the name of either; the name without suffix is the identifier.
"""

from .base import Format, Sample
from .brat_reading import read_folder
from .brat_writing import write_folder


def _recognise(sample: Sample) -> bool:
    path = sample.path
    if path.is_dir():
        return any(found.with_suffix(".txt").is_file() for found in path.rglob("*.ann"))
    pair = [path.with_suffix(suffix) for suffix in (".txt", ".ann")]
    return path in pair and all(file.is_file() for file in pair)


FORMAT = Format(
    "brat", "folder of brat standoff: .txt and .ann files", _recognise, read_folder, write_folder, suffix=""
)
