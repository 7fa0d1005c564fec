"""What the machine can compute with, and training on several devices at once.

A step on several devices is the step on one: every device holds all variables and takes its part of the batch. JAX
compiles the step for the whole batch, so nothing in it knows of devices. TensorFlow runs it on each device with that
device's part: what is no mean over faces must go through `sum_over_devices`. Several machines, on JAX alone, each run
the whole program; what they do next depends on the first one's clock (`first_says`). Touches both backends, imported
lazily.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from faceswap_gan.config import Settings
from faceswap_gan.errors import ModelError, SettingsError
from faceswap_gan.nn.fast import SIDES

_CPU_FLAGS = Path("/proc/cpuinfo")
_AMPERE = (8, 0)  # compute capability from which NVIDIA's GPUs multiply in bfloat16


def has_gpu() -> bool:
    """Tell whether the Keras backend puts its tensors on a GPU."""
    return "cpu" not in str(ops.zeros(1).device).lower()


def has_fast_bfloat16() -> bool:
    """Tell whether bfloat16 is worth it: on a GPU, or on TensorFlow with a processor, that has instructions for it.

    On two AVX-512 cores a step of the fast preset takes 0.7 of float32's time on TensorFlow.
    """
    if has_gpu():
        return all(capability >= _AMPERE for capability in _capabilities())
    if keras.backend.backend() != "tensorflow" or not _CPU_FLAGS.is_file():
        return False
    flags = _CPU_FLAGS.read_text(encoding="utf-8", errors="replace")
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _capabilities() -> list[tuple[int, ...]]:
    """Ask NVIDIA's GPUs for their compute capabilities; what is not theirs has none."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        details = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
        return [each["compute_capability"] for each in details if each.get("compute_capability")]
    if backend == "jax":
        import jax

        told = [getattr(device, "compute_capability", None) for device in jax.local_devices()]
        # AMD's are told as gfx90a, say
        return [tuple(map(int, each.split("."))) for each in told if each and each.replace(".", "").isdigit()]
    import torch

    count = torch.cuda.device_count() if torch.version.cuda else 0
    return [torch.cuda.get_device_capability(index) for index in range(count)]


def join_machines() -> None:
    """Join the other machines of a run, if Keras's environment variables name them, before anything is computed.

    ``KERAS_DISTRIBUTION_JOB_ADDRESSES`` is the first machine's address and port, ``KERAS_DISTRIBUTION_NUM_PROCESSES``
    how many there are, ``KERAS_DISTRIBUTION_PROCESS_ID`` which one this is, from 0.

    Raises:
        SettingsError: the backend is not JAX, a variable is not as above, or the first machine is not reached.
    """
    if "KERAS_DISTRIBUTION_NUM_PROCESSES" not in os.environ:
        return
    if keras.backend.backend() != "jax":
        raise SettingsError(
            "expected KERAS_BACKEND=jax for several machines (KERAS_DISTRIBUTION_NUM_PROCESSES is set), got "
            f"{keras.backend.backend()}; set it, or unset the other."
        )
    try:
        keras.distribution.initialize()
    except (ValueError, RuntimeError) as error:
        line = str(error).split("\n")[0]
        raise SettingsError(
            "expected KERAS_DISTRIBUTION_JOB_ADDRESSES, _NUM_PROCESSES and _PROCESS_ID to name a run's machines, got "
            f"what Keras cannot use ({line}); set all three on each machine, or unset them."
        ) from error


def first_says(value: float) -> float:
    """Return the first machine's value on all of them; the value itself on one. All must ask."""
    if _count_machines() == 1:
        return value
    from jax.experimental import multihost_utils

    sent = np.frombuffer(np.float64(value).tobytes(), np.uint8)  # JAX would round it to float32
    return float(np.frombuffer(np.asarray(multihost_utils.broadcast_one_to_all(sent)).tobytes(), np.float64)[0])


def check_machines(faces: Mapping[str, NDArray[np.uint8]], settings: Settings, step: int) -> None:
    """Refuse machines that would not train the same model on the same faces.

    Args:
        faces: of each person.
        settings: the model's settings.
        step: at which training goes on, -1 where it begins.

    Raises:
        ModelError: something is not the same on all.
    """
    if _count_machines() == 1:
        return
    facts = {f"faces of {side}": zlib.crc32(np.ascontiguousarray(each).data) for side, each in faces.items()}
    facts |= {"settings": zlib.crc32(settings.to_toml().encode()), "checkpoint": step}
    for name, value in facts.items():
        if first_says(value) != value:
            raise ModelError(
                f"expected the same {name} on every machine, got others than the first's; copy them here."
            )


def count_devices(wanted: int | Literal["all"]) -> int:
    """Tell how many devices to train on: GPUs where there are any, else CPUs.

    Args:
        wanted: how many, or all that the backend sees.

    Raises:
        SettingsError: there are not so many, or the backend trains on one alone.
    """
    backend = keras.backend.backend()
    seen = len(_list_devices())
    if backend == "torch" and wanted not in (1, "all"):
        raise SettingsError(
            f"expected --devices 1 with torch, got {wanted}: it trains on one device; "
            "set KERAS_BACKEND=jax or tensorflow for more."
        )
    if wanted != "all" and _count_machines() > 1:
        raise SettingsError(f"expected --devices all on several machines, got {wanted}; give that.")
    if wanted != "all" and wanted > seen:
        raise SettingsError(f"expected --devices up to {seen}, which {backend} sees, got {wanted}; give fewer.")
    return seen if wanted == "all" else wanted


def check_split(settings: Settings, devices: int) -> None:
    """Refuse what does not come out the same on several devices as on one.

    Args:
        settings: the model's settings.
        devices: how many.

    Raises:
        SettingsError: the batch is no multiple of the devices; on TensorFlow also what looks at a whole batch.
    """
    training = settings.training
    for name, number in (("--batch", training.batch), ("pairs", training.pairs)):
        if number % devices:
            raise SettingsError(
                f"expected {name} to be a multiple of {devices} devices, got {number}; change either."
            )
    whole = settings.model.norm == "batchnorm" or settings.losses.gan == "relativistic"
    whole = (settings.model.family == "classic" and whole) or training.clip_norm > 0.0
    if devices > 1 and whole and keras.backend.backend() == "tensorflow":
        raise SettingsError(
            "expected neither batchnorm, the relativistic loss nor --clip-norm on several devices with TensorFlow, "
            "where each looks at its own part of the batch; set KERAS_BACKEND=jax."
        )


@contextmanager
def on_devices(devices: int) -> Iterator[None]:
    """Let networks, step and optimizer that are built inside hold their variables on every device.

    Training and painting with them happen outside.

    Args:
        devices: how many; 1 changes nothing.
    """
    if devices == 1:
        yield
    elif keras.backend.backend() == "jax":
        with keras.distribution.DataParallel(devices=_list_devices()[:devices]).scope():
            yield
    else:
        import tensorflow as tf

        with tf.distribute.MirroredStrategy(_list_devices()[:devices]).scope():
            yield


def split_batch(step: keras.Model, batch: Mapping[str, NDArray[np.generic]]) -> Mapping[str, Any]:
    """Give each of TensorFlow's devices its part of a batch: of every person's faces, and of the pairs.

    Args:
        step: built in `on_devices`.
        batch: of `training.batches`.
    """
    if keras.backend.backend() != "tensorflow" or step.distribute_strategy.num_replicas_in_sync == 1:
        return batch
    return {name: _split(step.distribute_strategy, name, array) for name, array in batch.items()}


def spread_batch(
    distribution: keras.distribution.DataParallel | None, batch: Mapping[str, keras.KerasTensor]
) -> Mapping[str, keras.KerasTensor]:
    """Have JAX compute with a batch on all devices, inside a step.

    Args:
        distribution: that the step was built in; None on one device and with another backend.
        batch: of `training.batches`, as tensors.
    """
    if distribution is None:
        return batch
    mesh = distribution.device_mesh
    (axis,) = mesh.axis_names
    return {
        name: keras.distribution.distribute_tensor(
            each, keras.distribution.TensorLayout([axis, *[None] * (len(each.shape) - 1)], mesh)
        )
        if each.shape[0] % mesh.devices.size == 0
        else each
        for name, each in batch.items()
    }


def sum_over_devices(value: keras.KerasTensor) -> keras.KerasTensor:
    """Sum what each device computed from its part of a batch, inside a step; the value itself on one device."""
    if count_parts() == 1:
        return value
    import tensorflow as tf

    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)


def count_parts() -> int:
    """Tell, inside a step, into how many parts its batch is split: 1 but for TensorFlow on several devices."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def _count_machines() -> int:
    if keras.backend.backend() != "jax":
        return 1
    import jax

    return int(jax.process_count())


def _list_devices() -> list[str]:
    backend = keras.backend.backend()
    if backend == "jax":
        return list(keras.distribution.list_devices())
    if backend == "torch":
        return ["torch"]
    import tensorflow as tf

    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in found]


def _split(strategy: Any, name: str, array: NDArray[np.generic]) -> Any:
    count = strategy.num_replicas_in_sync

    def part(context: Any) -> Any:
        mine = context.replica_id_in_sync_group
        if name.startswith(tuple(f"{side}_" for side in SIDES)):
            chosen = np.split(array, count)[mine]
        elif name.startswith("pair_"):  # first frames before second frames: both halves are split alike
            chosen = np.concatenate([np.split(half, count)[mine] for half in np.split(array, 2)])
        else:  # of the whole step
            chosen = array
        return ops.convert_to_tensor(chosen)

    return strategy.experimental_distribute_values_from_function(part)
