"""The demo of hf_spo as a Space: models are loaded when they are first used."""

from hf_spo.cli.models import ModelChoice
from hf_spo.demo import launch

launch({name: ModelChoice(name).load for name in ("base", "lite")})
