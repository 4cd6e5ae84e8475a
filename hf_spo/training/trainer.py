"""SpoTrainer: the Trainer of transformers, with evaluation by extraction and averaged weights."""

import logging
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler, SequentialSampler
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, EvalLoopOutput, TrainOutput

from ..data.collator import SpoCollator, SubjectSampling
from ..data.dataset import LabelledItem, SpoDataset
from ..data.occurrences import OccurrencePolicy
from ..data.sampler import LengthBucketSampler
from ..extraction import TripleExtractor
from ..metrics import TripleScorer
from ..modeling_spo import SpoForTripleExtraction, TorchBackend
from ..schema import Example
from .arguments import SpoTrainingArguments
from .ema import ExponentialMovingAverage

logger = logging.getLogger(__name__)

Rows = Iterable[Example | Mapping[str, Any]]


class SpoTrainer(Trainer):
    """Train [`SpoForTripleExtraction`] on [`Example`]s or DuIE rows.

    Evaluation extracts triples with the loop that users run and scores them (strict): `eval_f1` is that of the weights
    which `save_model` writes at the end, averaged ones if `ema_decay` is on; `eval_raw_f1` that of the raw weights.

    Args:
        model: the model to train.
        args: training arguments.
        train_dataset: labelled texts to train on: examples, DuIE rows, or a ready [`SpoDataset`].
        eval_dataset: labelled texts to evaluate on.
        processing_class: the fast tokenizer; saved with the model.
        kwargs: further arguments of [`Trainer`].
    """

    args: SpoTrainingArguments
    model: SpoForTripleExtraction

    def __init__(
        self,
        model: SpoForTripleExtraction,
        args: SpoTrainingArguments,
        train_dataset: Rows | SpoDataset | None = None,
        eval_dataset: Rows | SpoDataset | None = None,
        *,
        processing_class: Any,
        **kwargs: Any,
    ) -> None:
        self._tokenizer = processing_class
        self._schema = model.config.schema
        self._max_length = model.config.max_length
        self._policy = OccurrencePolicy(args.occurrence_policy)
        self._data_seed = args.seed if args.data_seed is None else args.data_seed
        train, evaluation = self._dataset(train_dataset), self._dataset(eval_dataset)
        for name, data in (("training", train), ("evaluation", evaluation)):
            if data is not None:
                logger.info("%s data: %s", name, data.report)
        collator = SpoCollator(
            processing_class.pad_token_id or 0,
            len(self._schema),
            args.subjects_per_example,
            SubjectSampling(args.subject_sampling),
            args.pad_to_multiple_of,
        )
        super().__init__(
            model,
            args,
            data_collator=collator,
            train_dataset=train,
            eval_dataset=evaluation,
            processing_class=processing_class,
            **kwargs,
        )
        self.ema: ExponentialMovingAverage | None = None
        self._sampler: LengthBucketSampler | None = None
        self.add_callback(_Hooks(self))

    def _dataset(self, data: Rows | SpoDataset | None) -> SpoDataset | None:
        if data is None or isinstance(data, SpoDataset):
            return data
        return SpoDataset(
            data, self._tokenizer, self._schema, max_length=self._max_length, policy=self._policy, seed=self._data_seed
        )

    def _get_train_sampler(self, train_dataset: Dataset[LabelledItem] | None = None) -> Sampler[int]:
        data = train_dataset or self.train_dataset
        batch = self.args.train_batch_size * self.args.world_size
        self._sampler = LengthBucketSampler(data.lengths, batch, seed=self._data_seed)
        return self._sampler

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader[Example]:
        """Return batches of examples; extraction does the rest."""
        data = self._dataset(eval_dataset) if eval_dataset is not None else self.eval_dataset
        if data is None:
            raise ValueError("evaluation needs eval_dataset: labelled texts to extract from and to score against")
        return self._example_loader(data)

    def get_test_dataloader(self, test_dataset: Any) -> DataLoader[Example]:
        """Return batches of examples; extraction does the rest."""
        return self._example_loader(self._dataset(test_dataset))

    def _example_loader(self, data: SpoDataset) -> DataLoader[Example]:
        # Several batches at once, which extraction sorts by length.
        size = self.args.eval_batch_size * _EVALUATION_LOOK_AHEAD
        loader = DataLoader(data.examples, batch_size=size, sampler=SequentialSampler(data.examples), collate_fn=list)
        return self.accelerator.prepare_data_loader(loader, device_placement=False)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Give the heads a learning rate of their own; biases and normalisations get no weight decay."""
        if self.optimizer is not None:
            return self.optimizer
        optimized = self.model if model is None else model
        decayed = set(self.get_decay_parameter_names(optimized))
        encoder_rate = self.args.learning_rate
        head_rate = self.args.head_learning_rate if self.args.head_learning_rate is not None else 5 * encoder_rate
        groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
        for name, parameter in optimized.named_parameters():
            if parameter.requires_grad:
                rate = encoder_rate if "encoder." in name else head_rate
                decay = self.args.weight_decay if name in decayed else 0.0
                groups.setdefault((rate, decay), []).append(parameter)
        kind, arguments = self.get_optimizer_cls_and_kwargs(self.args, optimized)
        self.optimizer = kind(
            [{"params": parameters, "lr": rate, "weight_decay": decay} for (rate, decay), parameters in groups.items()],
            **arguments,
        )
        return self.optimizer

    def train(self, resume_from_checkpoint: str | bool | None = None, **kwargs: Any) -> TrainOutput:
        """Train; at the end the model holds the averaged weights, of the best checkpoint if one was kept."""
        output = super().train(resume_from_checkpoint=resume_from_checkpoint, **kwargs)
        if self.ema is not None:
            best = self.state.best_model_checkpoint
            if self.args.load_best_model_at_end and best is not None:
                self.ema.load(best)
            self.ema.copy_to_model()
        return output

    def evaluation_loop(
        self,
        dataloader: DataLoader[Example],
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Extract, then score. With averaged weights in training, once with them and once with the raw ones."""
        averaging = self.ema is not None and self.is_in_train and self.ema.steps > 0
        metrics: dict[str, float] = {}
        if averaging and self.args.evaluate_raw:
            _, raw = self._extract_and_score(dataloader, f"{description} (raw weights)")
            metrics |= {f"{metric_key_prefix}_raw_{name}": value for name, value in raw.items()}
        with self.ema.applied() if averaging else nullcontext():
            predictions, scores = self._extract_and_score(dataloader, description)
        metrics |= {f"{metric_key_prefix}_{name}": value for name, value in scores.items()}
        return EvalLoopOutput(predictions=predictions, label_ids=None, metrics=metrics, num_samples=len(predictions))

    def _extract_and_score(self, loader: DataLoader[Example], description: str) -> tuple[list[Any], dict[str, float]]:
        if len(self.accelerator._models) == 0:
            self.model = self.model.to(self.args.device)
        self.model.eval()
        extractor = TripleExtractor(
            TorchBackend(self.model),
            self._tokenizer,
            self._schema,
            max_length=self._max_length,
            thresholds=self.model.config.thresholds,
        )
        logger.info("***** %s: %d texts *****", description, len(loader.dataset))
        scorer = TripleScorer()
        predictions = []
        for examples in loader:
            with self.compute_loss_context_manager():
                extracted = list(extractor([example.text for example in examples], self.args.eval_batch_size))
            pairs = list(zip(extracted, (example.triples for example in examples), strict=True))
            # Drops what was added to fill the last batch of every process.
            for predicted, gold in self.accelerator.gather_for_metrics(pairs, use_gather_object=True):
                scorer.add(predicted, gold)
                predictions.append(predicted)
            self.control = self.callback_handler.on_prediction_step(self.args, self.state, self.control)
        score = scorer.score()
        return predictions, {"precision": score.precision, "recall": score.recall, "f1": score.f1}

    def start_average(self) -> None:
        """Create the average, or read it where a resumed run left off."""
        if self.args.ema_decay > 0:
            self.ema = ExponentialMovingAverage(self.model, self.args.ema_decay)
            if self.state.global_step > 0:
                self.ema.load(Path(self.args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}")

    def start_epoch(self, epoch: int) -> None:
        """Reorder the data and draw other subjects."""
        assert self._sampler is not None
        self._sampler.set_epoch(epoch)
        self.train_dataset.set_epoch(epoch)


_EVALUATION_LOOK_AHEAD = 16


class _Hooks(TrainerCallback):
    """Tells a trainer when training, an epoch, a step and a save happen."""

    def __init__(self, trainer: SpoTrainer) -> None:
        self.trainer = trainer

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.trainer.start_average()

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        # A run resumed inside an epoch begins it at a fraction.
        self.trainer.start_epoch(int(state.epoch or 0))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self.trainer.ema is not None:
            self.trainer.ema.update()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self.trainer.ema is not None and state.is_world_process_zero:
            assert args.output_dir is not None
            self.trainer.ema.save(Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}")
