"""Which number format a machine computes in fastest, without a loss that shows in F1."""

import torch


def auto_dtype(device: str | torch.device | None = None) -> torch.dtype:
    """Return bfloat16 where the hardware computes in it, else float32.

    That is a GPU, or a CPU with AMX or AVX512-BF16. For `transformers.pipeline`, "auto" is the format that a model was
    saved in; to have the fastest one, pass `dtype=auto_dtype()`.

    Args:
        device: to compute on; default: the accelerator if there is one, else the CPU.
    """
    chosen = torch.device(device) if device is not None else torch.accelerator.current_accelerator(True)
    if chosen is None or chosen.type == "cpu":
        able = torch.cpu.get_capabilities()
        fast = able.get("amx_bf16", False) or able.get("avx512_bf16", False)
    elif chosen.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = chosen.type in ("xpu", "hpu", "npu")
    return torch.bfloat16 if fast else torch.float32
