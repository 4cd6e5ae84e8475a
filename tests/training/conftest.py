import datasets
import pytest
from transformers.utils import logging


@pytest.fixture(autouse=True, scope="session")
def quiet():
    """Leave no progress bars in the output."""
    logging.disable_progress_bar()
    datasets.disable_progress_bars()
    yield
    logging.enable_progress_bar()
    datasets.enable_progress_bars()
