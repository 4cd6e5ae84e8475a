"""Adapt an encoder to a kind of text by further masked language modelling, before fine-tuning.

    python adapt_encoder.py ENCODER TEXTS... OUTPUT [--epochs 1] [--learning-rate 1e-4] [--batch-size 32]
                            [--save-steps 200]

TEXTS are .jsonl files with a "text" field or plain files with one text a line; labels are ignored. OUTPUT gets the
encoder and its tokenizer, for `hf-spo train --encoder OUTPUT`. An encoder without a head for masked words gets a new
one, which shares the embeddings of the encoder; the head is not saved (Gururangan et al. 2020, arXiv:2004.10964).

Every --save-steps steps, a checkpoint is written to OUTPUT. The same command continues an interrupted run from the
newest complete checkpoint, and does nothing if OUTPUT is finished. It computes in bfloat16 where the hardware does.
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
    set_seed,
)

from hf_spo.data import read_texts
from hf_spo.data.sampler import LengthBucketSampler
from hf_spo.loading.dtypes import auto_dtype
from hf_spo.training.checkpoints import last_checkpoint


class BucketTrainer(Trainer):
    """A trainer whose batches have texts of similar length, the same ones after an interruption.

    It predicts masked words only: over the whole vocabulary, predictions for the other words take half of a step.
    """

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **more: Any) -> Any:
        """Return the mean loss of the masked words."""
        masked = inputs["labels"] != -100

        def keep_masked(module: Any, args: Any, output: Any) -> Any:
            output.last_hidden_state = output.last_hidden_state[masked][None]
            return output

        with model.base_model.register_forward_hook(keep_masked):
            return super().compute_loss(model, {**inputs, "labels": inputs["labels"][masked][None]}, *args, **more)

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthBucketSampler:
        data: Any = self.train_dataset
        lengths = [len(tokens) for tokens in data["input_ids"]]
        return LengthBucketSampler(lengths, self.args.per_device_train_batch_size, seed=self.args.seed)


def main() -> None:
    """Read the arguments, train, write the encoder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("output", type=Path)
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--max-length", type=int, default=128, help="maximum number of tokens of a text")
    parser.add_argument("--save-steps", type=int, default=200, help="steps between two checkpoints")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    if (options.output / "tokenizer.json").exists():  # the last file that is written
        print(f"{options.output} is finished")
        return

    set_seed(options.seed)  # weights of a new head are random
    tokenizer = AutoTokenizer.from_pretrained(options.encoder)
    model = AutoModelForMaskedLM.from_pretrained(options.encoder, dtype=torch.float32, attn_implementation="eager")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # one epoch does not overfit; on a CPU, random numbers take a third of a step
    texts = list(dict.fromkeys(text for path in options.texts for text in read_texts(path) if text.strip()))
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15, pad_to_multiple_of=8)
    trainer = BucketTrainer(model, arguments(options), collator, encoded(tokenizer, texts, options.max_length))
    checkpoint = last_checkpoint(options.output)
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    model.base_model.save_pretrained(options.output)
    tokenizer.save_pretrained(options.output)
    print(f"{options.output}: adapted to {len(texts)} texts")


def arguments(options: argparse.Namespace) -> TrainingArguments:
    """Return the training arguments."""
    return TrainingArguments(
        output_dir=str(options.output),
        num_train_epochs=options.epochs,
        learning_rate=options.learning_rate,
        per_device_train_batch_size=options.batch_size,
        lr_scheduler_type="linear",
        warmup_steps=0.05,
        weight_decay=0.01,
        bf16=auto_dtype() == torch.bfloat16,
        use_cpu=not torch.accelerator.is_available(),
        seed=options.seed,
        save_strategy="steps",
        save_steps=options.save_steps,
        save_total_limit=2,
        logging_steps=50,
    )


def encoded(tokenizer: Any, texts: list[str], max_length: int) -> Dataset:
    """Tokenise texts, with a mask of special tokens, which are never masked."""
    tokens = tokenizer(
        texts, truncation=True, max_length=max_length, return_special_tokens_mask=True, return_token_type_ids=False
    )
    return Dataset.from_dict(dict(tokens))


if __name__ == "__main__":
    main()
