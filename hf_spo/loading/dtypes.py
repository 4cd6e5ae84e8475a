"""The number format in which a machine computes fastest, without a loss that shows in F1."""

import torch


def auto_dtype(device: str | int | torch.device | None = None) -> torch.dtype:
    """Return bfloat16 if the hardware computes in it, else float32.

    Hardware that does: GPUs, and CPUs with AMX or AVX512-BF16. For `transformers.pipeline`, "auto" is the format that a
    model was saved in; for the fastest one, pass `dtype=auto_dtype()`.

    Args:
        device: to compute on; default: the accelerator if there is one, else the CPU.
    """
    if isinstance(device, int):
        device = "cpu" if device < 0 else f"cuda:{device}"
    if device is not None:
        chosen: torch.device | None = torch.device(device)
    else:
        chosen = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if chosen is None or chosen.type == "cpu":
        fast = _cpu_computes_bfloat16()
    elif chosen.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = chosen.type in ("xpu", "hpu", "npu")
    return torch.bfloat16 if fast else torch.float32


def _cpu_computes_bfloat16() -> bool:
    if hasattr(torch.cpu, "get_capabilities"):
        able = torch.cpu.get_capabilities()
        return bool(able.get("amx_bf16", False) or able.get("avx512_bf16", False))
    # Older versions of torch have no public function for it.
    checks = (getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return any(check is not None and check() for check in checks)
