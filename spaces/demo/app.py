"""The demo of hf_spo as a Space; models are loaded on first use."""

from functools import partial

import hf_spo
from hf_spo.demo import launch

launch({name: partial(hf_spo.load, name) for name in ("base", "lite")})
