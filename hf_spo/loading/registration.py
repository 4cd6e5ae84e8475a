"""Register the models and the pipeline with transformers on import; `registration_hook` imports this module."""

from transformers import AutoConfig, AutoModel
from transformers.pipelines import PIPELINE_REGISTRY

from ..model.configuration_dgcnn import DgcnnConfig
from ..model.configuration_ensemble import EnsembleConfig
from ..model.configuration_spo import SpoConfig
from ..model.modeling_dgcnn import DgcnnModel
from ..model.modeling_ensemble import SpoEnsemble
from ..model.modeling_spo import AutoModelForTripleExtraction, SpoForTripleExtraction
from ..model.pipeline import TripleExtractionPipeline
from ..model.travelling import TASK
from .locations import packaged


def register() -> None:
    """Register configs, models and pipeline with the Auto classes and `transformers.pipeline`, once or again."""
    AutoConfig.register(DgcnnConfig.model_type, DgcnnConfig, exist_ok=True)
    AutoModel.register(DgcnnConfig, DgcnnModel, exist_ok=True)
    for config, model in ((SpoConfig, SpoForTripleExtraction), (EnsembleConfig, SpoEnsemble)):
        AutoConfig.register(config.model_type, config, exist_ok=True)
        AutoModelForTripleExtraction.register(config, model, exist_ok=True)
        AutoModel.register(config, model, exist_ok=True)
    # Written into the table directly: `register_pipeline` warns on a second import, and makes `save_pretrained` of a
    # pipeline write a reference to this class that cannot be resolved on loading.
    PIPELINE_REGISTRY.supported_tasks[TASK] = {
        "impl": TripleExtractionPipeline,
        "pt": (AutoModelForTripleExtraction,),
        "default": {"model": (str(packaged("base")), "main")},
        "type": "text",
    }


register()
