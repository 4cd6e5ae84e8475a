"""The fastest number format of a machine."""

import pytest
import torch

from hf_spo.loading.dtypes import auto_dtype


@pytest.mark.skipif(not hasattr(torch.cpu, "get_capabilities"), reason="an older torch")
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
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    assert auto_dtype("cpu") == auto_dtype(torch.device("cpu")) == auto_dtype() == dtype


@pytest.mark.parametrize(("supported", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_of_a_gpu_follows_from_what_it_can(monkeypatch, supported, dtype):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("cuda"))
    assert auto_dtype("cuda:1") == auto_dtype(0) == auto_dtype() == dtype


@pytest.mark.parametrize(("able", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_of_a_cpu_with_an_older_torch(monkeypatch, able, dtype):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported", raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: able, raising=False)
    assert auto_dtype("cpu") == auto_dtype(-1) == dtype


def test_of_other_accelerators_is_what_always_works():
    assert auto_dtype("mps") == torch.float32
