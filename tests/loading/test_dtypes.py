"""The fastest number format of a machine."""

import pytest
import torch

from hf_spo.loading.dtypes import auto_dtype


@pytest.mark.parametrize(
    ("able", "dtype"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": False, "avx512_bf16": True}, torch.bfloat16),
        ({"avx512_f": True, "avx512_bf16": False}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_of_a_cpu_follows_from_what_it_can(monkeypatch, able, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check: None)
    assert auto_dtype("cpu") == auto_dtype(torch.device("cpu")) == auto_dtype() == dtype


@pytest.mark.parametrize(("supported", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_of_a_gpu_follows_from_what_it_can(monkeypatch, supported, dtype):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check: torch.device("cuda"))
    assert auto_dtype("cuda:1") == auto_dtype() == dtype


def test_of_other_accelerators_is_what_always_works():
    assert auto_dtype("mps") == torch.float32
