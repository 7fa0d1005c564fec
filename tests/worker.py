"""Trains tiny networks in a process of its own: KERAS_BACKEND and the devices are chosen when a process starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def run_jobs(folder: Path, backend: str, jobs: Sequence[Mapping[str, Any]], **variables: str) -> list[Any]:
    """Run jobs one after another in one process: the losses of each job's steps.

    Args:
        folder: where to write; it holds the face folders of both people.
        backend: Keras's backend.
        jobs: ``family``; ``steps``, a first and an end; optionally ``begin``, a model folder to go on from,
            ``save``, one to write, ``training``, settings to change, ``devices``, how many, and ``eager``.
        **variables: of the environment.
    """
    file = folder / f"jobs_{backend}{variables.get('KERAS_DISTRIBUTION_PROCESS_ID', '')}.json"
    file.write_text(json.dumps(list(jobs)))
    paths = [str(FOLDER), str(FOLDER.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(
        [sys.executable, str(FOLDER / "worker.py"), str(folder), str(file)],
        env={**os.environ, **quiet, **variables, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def _train(folder: Path, job: Mapping[str, Any]) -> list[dict[str, float]]:
    import numpy as np
    from tiny import SIDE, tiny_settings

    from faceswap_gan.nn.fast import SIDES
    from faceswap_gan.training.batches import BatchMaker
    from faceswap_gan.training.checkpoint import (
        State,
        find_checkpoint,
        load_networks,
        load_variables,
        save_checkpoint,
    )
    from faceswap_gan.training.devices import count_devices, on_devices
    from faceswap_gan.training.face_set import read_faces
    from faceswap_gan.training.networks import build_networks
    from faceswap_gan.training.perceptual import read_features
    from faceswap_gan.training.steps import build_step

    perceptual = "onet" if job["family"] == "fast" else "none"
    settings = tiny_settings(job["family"], training=job.get("training"), perceptual=perceptual)
    number = count_devices(job.get("devices", 1))
    with on_devices(number):
        networks = build_networks(settings.model, precision=settings.training.precision, rng=np.random.default_rng(1))
        step = build_step(networks, settings, features=read_features(settings, None))
    step.run_eagerly = job.get("eager", False)
    assert _spread(step) == number
    if "begin" in job:
        checkpoint = find_checkpoint(Path(job["begin"]))
        load_networks(checkpoint, networks)
        load_variables(checkpoint, step.state_variables)
        step.restart_means()
    maker = BatchMaker({side: read_faces(folder / f"face_{side}", size=SIDE) for side in SIDES}, settings)
    losses = []
    for index in range(*job["steps"]):
        step.train_on_batch(maker.make(index))
        # parts of a sum vary more than it does by rounding, which Adam magnifies from step to step
        losses.append({name: mean for name, mean in step.read_means().items() if name not in step.watched})
        step.restart_means()
    if "save" in job:
        save_checkpoint(Path(job["save"]), networks, step.state_variables, State(job["steps"][1], 1.0))
    return losses


def _spread(step: Any) -> int:
    """Number of devices that hold a step's variables."""
    import keras

    if keras.backend.backend() == "jax":
        return len(step.trainable_variables[0].value.sharding.device_set)
    return step.distribute_strategy.num_replicas_in_sync if keras.backend.backend() == "tensorflow" else 1


if __name__ == "__main__":
    work, file = map(Path, sys.argv[1:])
    if "VIRTUAL_DEVICES" in os.environ and os.environ["KERAS_BACKEND"] == "tensorflow":
        import tensorflow as tf

        virtual = [tf.config.LogicalDeviceConfiguration()] * int(os.environ["VIRTUAL_DEVICES"])
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], virtual)
    from faceswap_gan.training.devices import join_machines

    join_machines()
    print(json.dumps([_train(work, job) for job in json.loads(file.read_text())]))
