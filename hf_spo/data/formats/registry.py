"""Formats by name; a format is imported when it is first used."""

from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from .base import DataFormatError, Format, Sample
from .lines import encoding_fault

# In the order in which a file is checked: formats with a signature, then those with a key of their own, then those that
# share keys with others.
_MODULES = {
    "hub": "hub.HUB",
    "datasets": "hub.FOLDER",
    "parquet": "parquet.FORMAT",
    "docbin": "docbin.FORMAT",
    "brat": "brat.FORMAT",
    "hf-spo": "native.FORMAT",
    "cmeie": "duie.CMEIE",
    "duie1": "duie.DUIE1",
    "duie2": "duie.DUIE2",
    "casrel": "casrel.FORMAT",
    "tplinker": "tplinker.FORMAT",
    "prodigy": "prodigy.FORMAT",
    "label-studio": "label_studio.FORMAT",
    "scierc": "scierc.FORMAT",
    "spert": "spert.FORMAT",
    "doccano": "doccano.FORMAT",
    "tsv": "tsv.FORMAT",
}


def format_names() -> Sequence[str]:
    """Return the names of all formats, sorted."""
    return sorted(_MODULES)


def find_format(name: str) -> Format:
    """Return the format with a name.

    Raises:
        DataFormatError: there is none; the message suggests others.
        ImportError: the format needs a package that is not installed.
    """
    if name not in _MODULES:
        near = get_close_matches(name.lower(), _MODULES, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(format_names())}"
        raise DataFormatError(f"there is no format {name!r}; {hint}")
    module, attribute = _MODULES[name].split(".")
    found: Format = getattr(import_module(f"{__package__}.{module}"), attribute)
    return found


def detect(path: Path) -> Format:
    """Recognise the format of a file or folder by its name and its beginning.

    Raises:
        DataFormatError: it has no known format; the message shows how it begins.
        FileNotFoundError: there is no such file.
    """
    for sample in Sample.growing(path):
        for name in _MODULES:
            found = find_format(name)
            if found.recognise(sample):
                return found
    raise DataFormatError(f"{path} {_beginning(sample)}")


def _beginning(sample: Sample) -> str:
    """Describe a file in no known format."""
    known = f"the formats are {', '.join(format_names())}; if it is in one of them, name it with --format"
    if sample.path.is_dir():
        return f"is a folder in no known format; {known}"
    text = sample.text.strip()
    if not text:
        return "has no labelled text: the file is empty"
    fault = encoding_fault(sample.head)
    if fault:
        return f"cannot be read: {fault}"
    if sample.rows:
        return f"is in no known format: its first row has {', '.join(map(repr, sample.rows[0]))}; {known}"
    if text[0] in "[{":
        return (
            f"begins {text[:40]!r}, and there is no complete JSON object on a line or in a list; is the file complete?"
        )
    return f"begins {text[:40]!r}, as no known format does; {known}"
