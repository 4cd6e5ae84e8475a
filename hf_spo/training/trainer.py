"""SpoTrainer: the Trainer of transformers, with evaluation by extraction and averaged weights."""

import logging
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch.utils.data import DataLoader, Sampler, SequentialSampler
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_utils import EvalLoopOutput, IntervalStrategy, TrainOutput

from ..data.collator import SpoCollator, SubjectSampling
from ..data.dataset import SpoDataset, as_examples
from ..data.occurrences import OccurrencePolicy
from ..data.sampler import LengthBucketSampler
from ..metrics.triple_f1 import score_predictions
from ..model.checkpoint import INDEX_FILE, WEIGHTS_FILE
from ..model.conditioning import ConditionalLayerNorm
from ..model.ensemble import make_extractor
from ..model.modeling_spo import SpoForTripleExtraction, TorchBackend
from ..model.schema import Example
from .arguments import SpoTrainingArguments
from .card import evaluation_report, listed, on_hub, write_card
from .checkpoints import explain_full_disk, last_checkpoint
from .defaults import default_epochs, default_learning_rate
from .ema import ExponentialMovingAverage
from .explanation import TrainingState, explain_zero
from .inputs import Rows, check_arguments, check_model, read_data
from .objective import ENCODER_INPUTS, SignalObjective
from .stages import Examined, StageExtractor, StageScore, scores
from .tuning import FOLDS, Tuner, Tuning

logger = logging.getLogger(__name__)

T = TypeVar("T")


class SpoTrainer(Trainer):
    """Train [`SpoForTripleExtraction`] on [`Example`]s or rows of a known format.

    Evaluation extracts triples as users do and scores them (strict). `eval_f1` is the score of the weights that
    `save_model` writes at the end, which are averaged if `ema_decay` is on; `eval_raw_f1` is that of the raw weights.
    `eval_subject_f1` scores subject spans alone, `eval_object_f1` the objects found for labelled subjects. If F1 is 0,
    warnings explain why. A checkpoint has the raw weights, for resuming, and the average. If matplotlib is installed,
    `training_curves.svg` and `.png` in the output folder show the progress.

    At the end of training the decoding thresholds are tuned on the evaluation texts (`tune_thresholds`; with several
    sets, on the one that `metric_for_best_model` names). A later evaluation on these texts is then slightly too high;
    `eval_cross_validated_f1` estimates the score on new texts. `tuning` has all results of the search.

    Args:
        model: the model to train; None with `model_init`.
        args: training arguments.
        train_dataset: labelled texts to train on: examples, rows of a known format, a `datasets.Dataset`, a data frame,
            a path that [`read_examples`] reads, or a ready [`SpoDataset`].
        eval_dataset: labelled texts to evaluate on, or a dictionary of such, by name.
        processing_class: the fast tokenizer; saved with the model.
        model_init: returns a fresh model, for [`Trainer.hyperparameter_search`]; takes a trial or nothing.
        kwargs: further arguments of [`Trainer`]; `compute_metrics` receives lists of [`Triple`]s, one a text, as
            `predictions` and `label_ids`.

    Raises:
        TypeError: an argument is not for this trainer; the message says what to pass.
        ValueError: there is no training text; a row is of no known format; a relation is not in the model's schema; a
            token has no embedding; or the model does not allow a training signal, such as R-Drop without dropout.
    """

    args: SpoTrainingArguments
    model: SpoForTripleExtraction
    train_dataset: Any
    eval_dataset: Any

    def __init__(
        self,
        model: SpoForTripleExtraction | None,
        args: SpoTrainingArguments,
        train_dataset: Rows | SpoDataset | None = None,
        eval_dataset: Rows | SpoDataset | dict[str, Rows | SpoDataset] | None = None,
        *,
        processing_class: Any = None,
        model_init: Callable[..., SpoForTripleExtraction] | None = None,
        **kwargs: Any,
    ) -> None:
        check_arguments(args, processing_class, kwargs)
        if model is None and model_init is not None:
            self.model_init = model_init
            set_seed(args.seed)  # as for the model that is trained
            model = self.call_model_init()
        check_model(model)
        assert model is not None
        self._tokenizer = processing_class
        self._schema = model.config.schema
        self._max_length = model.config.max_length
        self._policy = OccurrencePolicy(args.occurrence_policy)
        self._features = model.features
        if model.config.prior and model.features.prior is None:
            raise ValueError(
                "the model's config asks for a prior, but the model has no known triples: "
                "model.features.prior = TripleStore.from_examples(train, model.config.schema)"
            )
        self._data_seed = args.seed if args.data_seed is None else args.data_seed
        self.ema: ExponentialMovingAverage | None = None
        self.tuning: Tuning | None = None
        self._evaluation: dict[str, Any] | None = None
        self._sampler: LengthBucketSampler | None = None
        self._resumed_from: str | None = None
        if isinstance(eval_dataset, dict):
            _check_metric_names_one(args, list(eval_dataset))
        training, evaluation = read_data(model, args, processing_class, train_dataset, eval_dataset)
        self._window = model.config.window
        self._objective = SignalObjective.from_arguments(
            args, partial_labels=training is not None and bool(training.partial_labels)
        )
        if self._objective is not None:
            self._objective.check(model)
        if args.n_gpu > 1:
            logger.warning("one process uses one GPU; to use all %d: torchrun --nproc_per_node %d …", *[args.n_gpu] * 2)
            # torch's DataParallel would split a batch's sentences but not its subjects, which refer to them by row.
            args._n_gpu = 1
        if args.num_train_epochs is None:
            batch_size = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
            args.num_train_epochs = _epochs(training, batch_size)
        if args.learning_rate is None:
            encoder = model.config.get_text_config()
            args.learning_rate = default_learning_rate(encoder.model_type, encoder.hidden_size)
        super().__init__(
            model if model_init is None else None,
            args,
            model_init=model_init,
            data_collator=SpoCollator(
                processing_class.pad_token_id or 0,
                len(self._schema),
                args.subjects_per_example,
                SubjectSampling(args.subject_sampling),
                args.pad_to_multiple_of,
                self._max_length,
            ),
            train_dataset=training,
            eval_dataset=evaluation,
            processing_class=processing_class,
            **kwargs,
        )
        self.add_callback(_Hooks(self))
        if args.early_stopping_patience and args.load_best_model_at_end and args.eval_strategy != IntervalStrategy.NO:
            self.add_callback(_EarlyStopping(args.early_stopping_patience))
        if args.training_curves:
            self._draw_curves()

    def call_model_init(self, trial: Any = None) -> Any:
        """Return a fresh model, which reads texts in the windows that hold the training texts' triples."""
        model: Any = super().call_model_init(trial)
        check_model(model)
        model.config.window = getattr(self, "_window", model.config.window)
        return model

    def hyperparameter_search(self, *args: Any, **kwargs: Any) -> Any:
        """Search for training arguments, see [`Trainer.hyperparameter_search`]; by default for the highest F1."""
        metric = f"eval_{(self.args.metric_for_best_model or 'f1').removeprefix('eval_')}"
        if not args and "compute_objective" not in kwargs:
            kwargs = {"direction": "maximize", **kwargs, "compute_objective": lambda metrics: metrics[metric]}
        return super().hyperparameter_search(*args, **kwargs)

    def _draw_curves(self) -> None:
        try:
            from .curves import TrainingCurves
        except ImportError as error:
            if self.is_world_process_zero():
                logger.info("no training curves: %s", error)
        else:
            self.add_callback(TrainingCurves())

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        data = self.train_dataset if train_dataset is None else train_dataset
        # Batches are dealt to the processes in turn, so that a step has batches of similar length on all of them.
        self._sampler = LengthBucketSampler(
            data.lengths, self._train_batch_size * self.args.world_size, seed=self._data_seed
        )
        return self._sampler

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader[Example]:
        """Return batches of labelled texts, which are extracted from; a string names one of several sets."""
        data = self.eval_dataset if eval_dataset is None else eval_dataset
        if isinstance(data, str):
            data = self.eval_dataset[data]
        if data is None:
            raise ValueError("evaluation needs eval_dataset: labelled texts to extract from and to score against")
        return self._example_loader(data)

    def get_test_dataloader(self, test_dataset: Any) -> DataLoader[Example]:
        """Return batches of labelled texts, which are extracted from."""
        return self._example_loader(test_dataset)

    def _example_loader(self, data: Rows | SpoDataset) -> DataLoader[Example]:
        examples = data.examples if isinstance(data, SpoDataset) else as_examples(data)
        # Several batches at once, which extraction sorts by length, within a process's share.
        size = min(self.args.eval_batch_size * _EVALUATION_LOOK_AHEAD, math.ceil(len(examples) / self.args.world_size))
        loader: DataLoader[Example] = DataLoader(
            examples,  # type: ignore[arg-type]  # a list has all that a map-style Dataset needs
            batch_size=max(size, 1),
            sampler=SequentialSampler(examples),
            collate_fn=list,
            generator=torch.Generator(),  # so that evaluation draws nothing from the generator of training
        )
        prepared: DataLoader[Example] = self.accelerator.prepare_data_loader(loader, device_placement=False)
        return prepared

    def get_decay_parameter_names(self, model: torch.nn.Module) -> list[str]:
        """Name the weights that decay: all but biases and the scales of normalisations."""
        scales = {f"{name}.weight" for name, layer in model.named_modules() if isinstance(layer, ConditionalLayerNorm)}
        return [name for name in super().get_decay_parameter_names(model) if name not in scales]

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Create the optimizer, with separate learning rates for encoder and heads."""
        if self.optimizer is not None:
            return self.optimizer
        optimized = self.model if model is None else model
        decayed = set(self.get_decay_parameter_names(optimized))
        encoder_rate = self.args.learning_rate
        assert encoder_rate is not None  # set at construction
        head_rate = self.args.head_learning_rate if self.args.head_learning_rate is not None else 5 * encoder_rate
        groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
        for name, parameter in optimized.named_parameters():
            if parameter.requires_grad:
                rate = encoder_rate if SpoForTripleExtraction.base_model_prefix in name.split(".") else head_rate
                decay = self.args.weight_decay if name in decayed else 0.0
                groups.setdefault((rate, decay), []).append(parameter)
        kind, arguments = self.optimizer_cls_and_kwargs or self.get_optimizer_cls_and_kwargs(self.args, optimized)
        self.optimizer = kind(
            [{"params": parameters, "lr": rate, "weight_decay": decay} for (rate, decay), parameters in groups.items()],
            **arguments,
        )
        return self.optimizer

    def train(self, resume_from_checkpoint: str | bool | None = None, *args: Any, **kwargs: Any) -> TrainOutput:
        """Train; at the end the model has the averaged weights, those of the best checkpoint if it was kept.

        Args:
            resume_from_checkpoint: a checkpoint to resume from; True: the newest complete one in the output folder.
            args, kwargs: further arguments of [`Trainer.train`].

        Raises:
            ValueError: there is no checkpoint to resume from.
        """
        if resume_from_checkpoint is True:
            assert self.args.output_dir is not None
            newest = last_checkpoint(self.args.output_dir)
            if newest is None:
                raise ValueError(
                    f"{self.args.output_dir} has no complete checkpoint to resume from; call train() without "
                    f"resume_from_checkpoint"
                )
            resume_from_checkpoint = str(newest)
        self._resumed_from = resume_from_checkpoint or None
        output = super().train(self._resumed_from, *args, **kwargs)
        if self.ema is not None:
            best = self.state.best_model_checkpoint
            if self.args.load_best_model_at_end and best is not None:
                self.ema.load(best)
            self.ema.copy_to_model()
        if self.args.tune_thresholds:
            self._tune_thresholds()
        return output

    def _tune_thresholds(self) -> None:
        """Put the decoding settings that suit the evaluation texts best into the model's config."""
        data = self._tuning_data()
        if data is None or len(data.examples) < 2 * FOLDS:
            return
        self.model.to(self.args.device).eval()  # type: ignore[arg-type]  # its decorator hides the signature
        logger.info("tuning thresholds on %d evaluation texts", len(data.examples))
        extractor = make_extractor(self.model, self._tokenizer)
        tuner = Tuner(extractor, data.examples, self._schema, method=None, batch_size=self.args.eval_batch_size)
        with self.accelerator.autocast():
            self.tuning = tuner.run()
        self.model.config.decode_by(self.tuning.settings)
        if self.is_world_process_zero():
            logger.info(
                "tuned thresholds (%s): F1 %.4f on these texts, %.4f before, %.4f cross-validated",
                self.tuning.choice,
                self.tuning.after.f1,
                self.tuning.before.f1,
                self.tuning.expected.f1,
            )

    def _tuning_data(self) -> SpoDataset | None:
        """Return the evaluation set; of several, the one that `metric_for_best_model` names, if it names one."""
        if not isinstance(self.eval_dataset, dict):
            return self.eval_dataset  # type: ignore[no-any-return]  # a SpoDataset or None
        metric = (self.args.metric_for_best_model or "").removeprefix("eval_")
        return next((data for name, data in self.eval_dataset.items() if metric.startswith(f"{name}_")), None)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Return the model's loss, or the loss with the training signals that are on."""
        if self._objective is not None:
            objective = partial(self._objective, batch=inputs)
            inputs = {name: inputs[name] for name in ENCODER_INPUTS if name in inputs} | {"objective": objective}
        return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

    def start_average(self) -> None:
        """Create the weights' average, or load it from the checkpoint of a resumed run."""
        self.ema = ExponentialMovingAverage(self.model, self.args.ema_decay) if self.args.ema_decay > 0 else None
        if self.ema is not None and self._resumed_from is not None:
            self.ema.load(self._resumed_from)

    def start_epoch(self, epoch: int) -> None:
        """Set the epoch of data and sampler: other subjects, other packed texts, another order."""
        assert self._sampler is not None
        self.train_dataset.set_epoch(epoch)
        self._sampler.set_epoch(epoch, self.train_dataset.lengths)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save model and tokenizer, and in a checkpoint the average.

        The average is written before `trainer_state.json`, which marks a checkpoint as complete.
        """
        super().save_model(output_dir, _internal_call)
        if hasattr(self.model, "peft_config") and self.args.should_save:
            # An adapter is saved without the config, which has the window and the thresholds.
            self.model.config.save_pretrained(output_dir or str(self.args.output_dir))
        if _internal_call and output_dir and self.is_in_train and self.ema is not None and self.args.should_save:
            self.ema.save(output_dir)

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        # Weights, and two averages of them in the optimizer.
        size = 3 * sum(parameter.nbytes for parameter in self.model.parameters())
        with explain_full_disk(str(self.args.output_dir), size):
            super()._save_checkpoint(model, trial)

    def create_model_card(
        self,
        language: str | list[str] | None = None,
        license: str | None = None,  # noqa: A002  # the name in transformers
        tags: str | list[str] | None = None,
        model_name: str | None = None,
        finetuned_from: str | None = None,
        tasks: str | list[str] | None = None,
        dataset_tags: str | list[str] | None = None,
        dataset: str | list[str] | None = None,
        dataset_args: str | list[str] | None = None,
    ) -> None:
        """Write the card that `hf-spo publish` writes into the output folder, with the last evaluation.

        A card that somebody has edited stays. Of an adapter, the card is that of PEFT. `tasks` and `dataset_args` are
        those of transformers; the card has its own.
        """
        if not self.is_world_process_zero():
            return
        if hasattr(self.model, "peft_config"):
            write_own: Any = super().create_model_card  # declares one language only
            write_own(language, license, tags, model_name, finetuned_from, tasks, dataset_tags, dataset, dataset_args)
            return
        folder = str(self.args.output_dir)
        if not any((Path(folder) / name).is_file() for name in (WEIGHTS_FILE, INDEX_FILE)):
            self.save_model(_internal_call=True)
        encoder = getattr(self.model.config.get_text_config(), "_name_or_path", None)
        repo = self.hub_model_id or self.args.hub_model_id or ""
        name = model_name or repo or Path(folder).name
        write_card(
            folder,
            repo if repo.endswith(f"/{name}") else name,  # `push_to_hub` passes the name without its owner
            tags,
            report=self._evaluation,
            data=", ".join(listed(dataset_tags or dataset)) or None,
            licence=license,
            base_model=finetuned_from or on_hub(encoder),
            language=listed(language),
        )

    def _push_from_checkpoint(self, checkpoint_folder: str) -> None:
        # Uploads come from the output folder, into which transformers copies only files that it knows.
        if self.is_world_process_zero() and self.args.output_dir is not None:
            self.model.features.save(self.args.output_dir)
        super()._push_from_checkpoint(checkpoint_folder)

    def evaluation_loop(
        self,
        dataloader: DataLoader[Example],
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Extract and score; during training with averaged weights, once with these and once with the raw ones."""
        logger.info("***** %s: %d texts *****", description, len(dataloader.dataset))  # type: ignore[arg-type]  # a list
        self.callback_handler.eval_dataloader = dataloader
        self.model.to(self.args.device).eval()  # type: ignore[arg-type]  # its decorator hides the signature
        extractor = StageExtractor(
            TorchBackend(self.model),
            self._tokenizer,
            self._schema,
            policy=self._policy,
            max_length=self._max_length,
            window=self.model.config.window,
            features=self._features,
            decoding=self.model.config.decoding,
        )
        weights: dict[str, Callable[[], AbstractContextManager[None]]] = {"": nullcontext}
        if self.ema is not None and self.is_in_train and self.ema.steps > 0:
            weights = ({"raw_": nullcontext} if self.args.evaluate_raw else {}) | {"": self.ema.applied}
        examined: dict[str, list[Examined]] = {kind: [] for kind in weights}
        labelled: list[Example] = []
        for examples in dataloader:
            for kind, put_in in weights.items():
                with put_in(), self.accelerator.autocast():
                    found = extractor.examine(examples, self.args.eval_batch_size)
                examined[kind] += self._gather(found)
            labelled += self._gather(list(examples))
            self.control = self.callback_handler.on_prediction_step(self.args, self.state, self.control)
        metrics: dict[str, float] = {}
        if metric_key_prefix.startswith("eval"):
            name = metric_key_prefix.removeprefix("eval").removeprefix("_") or "eval_dataset"
            score = score_predictions(labelled, (triples for triples, _ in examined[""]))
            self._evaluation = evaluation_report(name, len(labelled), score.to_dict())
        for kind, found in examined.items():
            metrics |= {f"{metric_key_prefix}_{kind}{name}": value for name, value in scores(labelled, found).items()}
        texts: Any = dataloader.dataset  # a list
        if self.tuning is not None and (tuned := self._tuning_data()) is not None and tuned.examples is texts:
            metrics[f"{metric_key_prefix}_cross_validated_f1"] = self.tuning.expected.f1
        self._report_reach(description, labelled, StageScore.total([stage for _, stage in examined[""]]).out_of_reach)
        if metrics[f"{metric_key_prefix}_f1"] == 0 and metric_key_prefix.startswith("eval"):
            self.report_zero(self._explain_zero(labelled, examined[""], metrics.get(f"{metric_key_prefix}_raw_f1")))
        # transformers declares arrays.
        output: Any = {
            "predictions": [triples for triples, _ in examined[""]],
            "label_ids": [list(example.triples) for example in labelled],
        }
        if self.compute_metrics is not None:
            own = self.compute_metrics(EvalPrediction(**output))
            metrics |= {f"{metric_key_prefix}_{name}": value for name, value in own.items()}
        return EvalLoopOutput(**output, metrics=metrics, num_samples=len(labelled))

    def _explain_zero(self, examples: list[Example], examined: list[Examined], raw_f1: float | None) -> list[str]:
        rate = self.args.learning_rate
        assert rate is not None  # set at construction
        return explain_zero(
            examples,
            [triples for triples, _ in examined],
            StageScore.total([stage for _, stage in examined]),
            self.model.config.decoding,
            TrainingState(
                self.state.global_step,
                self.state.max_steps,
                rate,
                [entry["loss"] for entry in self.state.log_history if "loss" in entry],
                raw_f1,
            ),
        )

    def _report_reach(self, description: str, examples: list[Example], lost: int) -> None:
        if lost and self.is_world_process_zero():
            logger.warning(
                "%s: of %d gold triples %d are out of reach: no window of %d tokens holds them",
                description,
                sum(len(example.triples) for example in examples),
                lost,
                self.model.config.window or self._max_length,
            )

    def report_zero(self, lines: list[str]) -> None:
        """Log the explanation of an F1 of 0 as warnings, on the first process."""
        if self.is_world_process_zero():
            for line in lines:
                logger.warning("F1 is 0: %s", line)

    def _gather(self, parts: list[T]) -> list[T]:
        """Collect the entries of all processes, one for each text, without those that fill up the last batch."""
        gathered: list[T] = self.accelerator.gather_for_metrics(parts, use_gather_object=True)
        return gathered


_EVALUATION_LOOK_AHEAD = 16


def _check_metric_names_one(args: SpoTrainingArguments, names: list[str]) -> None:
    metric = args.metric_for_best_model
    if metric is not None and not any(metric.removeprefix("eval_").startswith(f"{name}_") for name in names):
        raise ValueError(
            f"metric_for_best_model={metric!r}: there are several evaluation sets, expected "
            f"{' or '.join(f'{name}_{metric}' for name in names)}"
        )


class _EarlyStopping(EarlyStoppingCallback):
    """Early stopping that starts with the first right triple: new heads find none in the first few hundred steps."""

    def check_metric_value(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metric_value: float
    ) -> None:
        if state.best_metric:
            super().check_metric_value(args, state, control, metric_value)  # type: ignore[no-untyped-call]  # there


def _epochs(training: SpoDataset | None, batch_size: int) -> int:
    if not training:
        return default_epochs(0, batch_size)
    labelled = sum(bool(text.triples) for text in training.texts)
    return default_epochs(labelled, math.ceil(batch_size * len(training.texts) / len(training)))


class _Hooks(TrainerCallback):
    """Calls a trainer at the start of training, at the start of an epoch and at the end of a step."""

    def __init__(self, trainer: SpoTrainer) -> None:
        self.trainer = trainer

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.trainer.start_average()

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        # A run that resumes inside an epoch has a fractional epoch here.
        self.trainer.start_epoch(int(state.epoch or 0))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self.trainer.ema is not None:
            self.trainer.ema.update()
