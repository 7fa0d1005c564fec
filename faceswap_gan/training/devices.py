"""What the machine can compute with."""

from __future__ import annotations

from pathlib import Path

import keras

_CPU_FLAGS = Path("/proc/cpuinfo")


def has_gpu() -> bool:
    """Tell whether the Keras backend sees a GPU."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    if backend == "torch":
        import torch

        return bool(torch.cuda.is_available())
    return bool(keras.distribution.list_devices("gpu"))


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
