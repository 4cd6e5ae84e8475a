"""Models inside the package are found by name."""

from pathlib import Path

import pytest

import hf_spo


def test_folder_lies_in_the_package():
    folder = hf_spo.packaged()
    assert folder == hf_spo.packaged("base")
    assert folder.parent == hf_spo.packaged("lite").parent == Path(hf_spo.__file__).parent


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="no packaged model 'huge'; there are: base, lite"):
        hf_spo.packaged("huge")
