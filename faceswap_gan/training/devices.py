"""What the machine can compute with."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import ops

_CPU_FLAGS = Path("/proc/cpuinfo")


def has_gpu() -> bool:
    """Tell whether the Keras backend puts its tensors on a GPU."""
    return "cpu" not in str(ops.zeros(1).device).lower()


def has_fast_bfloat16() -> bool:
    """Tell whether bfloat16 is worth it: on a GPU, or on TensorFlow with a processor that has instructions for it.

    On two AVX-512 cores a step of the fast preset takes 0.7 of float32's time on TensorFlow.
    """
    if has_gpu():
        return True
    if keras.backend.backend() != "tensorflow" or not _CPU_FLAGS.is_file():
        return False
    flags = _CPU_FLAGS.read_text(encoding="utf-8", errors="replace")
    return "avx512_bf16" in flags or "amx_bf16" in flags
