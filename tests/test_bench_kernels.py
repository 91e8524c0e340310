"""OpenBLAS's kernels: none is tried that the processor cannot run, and the line to set suits the shell."""

import numpy as np
import pytest

from numpylm.bench import kernels
from numpylm.bench.kernels import AVX512, candidates, processor_instructions, setting_line


@pytest.mark.parametrize(
    ("machine", "instructions", "expected"),
    [
        ("x86_64", {"sse4_2"}, ["Nehalem"]),
        ("x86_64", {"sse4_2", "avx"}, ["Nehalem", "Sandybridge"]),
        ("AMD64", {"sse4_2", "avx", "avx2", "fma"}, ["Nehalem", "Sandybridge", "Haswell", "Zen"]),
        ("x86_64", {"sse4_2", "avx", "avx2"} | AVX512 - {"avx512vl"}, ["Nehalem", "Sandybridge"]),
        ("x86_64", {"avx2", "fma"} | AVX512, ["Haswell", "Zen", "SkylakeX"]),
        ("x86_64", AVX512 | {"avx512_bf16"}, ["SkylakeX", "Cooperlake"]),
        ("x86_64", AVX512 | {"avx512_bf16", "amx_bf16"}, ["SkylakeX", "Cooperlake", "SapphireRapids"]),
        ("x86_64", None, list(kernels.X86)),
        ("aarch64", {"asimddp", "sve"}, ["ARMV8", "NEOVERSEN1", "NEOVERSEV1", "VORTEX"]),
        ("arm64", None, list(kernels.ARM)),
        ("riscv64", {"v"}, []),
    ],
)
def test_only_what_the_processor_can_run_is_tried(machine, instructions, expected):
    assert candidates(machine, instructions) == expected


def test_instructions_are_those_that_linux_lists(monkeypatch):
    monkeypatch.setattr(kernels, "cpuinfo", {"flags": "fpu avx2 fma"}.get)
    assert processor_instructions() == {"fpu", "avx2", "fma"}
    monkeypatch.setattr(kernels, "cpuinfo", {"Features": "asimd asimddp"}.get)
    assert processor_instructions() == {"asimd", "asimddp"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (["X86_V3", "X86_V4"], {"sse4_2", "avx", "avx2", "fma"} | AVX512),
        (["AVX", "AVX2", "FMA3"], {"sse4_2", "avx", "avx2", "fma"}),
        (["something new"], {"sse4_2"}),
    ],
)
def test_without_linux_numpy_is_asked(monkeypatch, found, expected):
    monkeypatch.setattr(kernels, "cpuinfo", lambda key: None)
    extensions = {"SIMD Extensions": {"baseline": ["X86_V2"], "found": found, "not found": []}}
    monkeypatch.setattr(np, "show_config", lambda mode: extensions)
    assert processor_instructions() == expected


def test_where_nobody_knows_the_instructions_are_unknown(monkeypatch):
    monkeypatch.setattr(kernels, "cpuinfo", lambda key: None)
    monkeypatch.setattr(np, "show_config", lambda mode: {})
    assert processor_instructions() is None


@pytest.mark.parametrize(
    ("environment", "windows", "line"),
    [
        ({"SHELL": "/bin/bash"}, False, "export OPENBLAS_CORETYPE=Zen"),
        ({}, False, "export OPENBLAS_CORETYPE=Zen"),
        ({"SHELL": "/usr/bin/fish"}, False, "set -gx OPENBLAS_CORETYPE Zen"),
        ({"SHELL": "/bin/tcsh"}, False, "setenv OPENBLAS_CORETYPE Zen"),
        ({"PSModulePath": r"C:\Program Files;C:\Windows"}, True, "set OPENBLAS_CORETYPE=Zen"),
        ({"PSModulePath": r"C:\Users\me;C:\Program Files;C:\Windows"}, True, '$env:OPENBLAS_CORETYPE = "Zen"'),
    ],
)
def test_the_line_suits_the_shell(environment, windows, line):
    assert setting_line("Zen", environment, windows) == line
