"""One small network of a bundle, run by LiteRT on the CPU: arrays in, arrays out.

A bundle is a zip of ``.tflite`` files, as MediaPipe publishes them. Nothing here opens a connection.
"""

from __future__ import annotations

import importlib
import zipfile
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError, WeightsError
from faceswap_gan.quiet import no_native_stderr

Array = npt.NDArray[np.float32]


class LiteNetwork:
    """A LiteRT interpreter around one member of a bundle.

    Any thread may call it; they take turns, as it keeps the tensors of its last call.

    Args:
        bundle: the zip file.
        member: name of the ``.tflite`` file in it.
        threads: CPU threads of one call.

    Raises:
        WeightsError: the bundle is missing or damaged, or lacks the member.
        SettingsError: ``threads`` is below 1, or the ``ai-edge-litert`` package is not installed.
    """

    def __init__(self, bundle: Path, member: str, *, threads: int = 1) -> None:
        if threads < 1:
            raise SettingsError(f"threads must be at least 1. Received: {threads}.")
        content = read_member(bundle, member)
        interpreter = _load_runtime().Interpreter
        try:
            with no_native_stderr():  # the runtime's greeting, for which it has no setting
                self._interpreter: Any = interpreter(model_content=content, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise WeightsError(f"{bundle}: {member} is no network that LiteRT reads ({error}).") from error
        self._turn = Lock()
        self._inputs = [detail["index"] for detail in self._interpreter.get_input_details()]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def run(self, tensor: Array) -> list[Array]:
        """Run the network once.

        Args:
            tensor: float32, of the shape that the network takes.

        Returns:
            Its outputs in the file's order, float32; copies.
        """
        with self._turn:
            self._interpreter.set_tensor(self._inputs[0], tensor)
            self._interpreter.invoke()
            return [np.asarray(self._interpreter.get_tensor(index), np.float32) for index in self._outputs]


def read_member(bundle: Path, member: str) -> bytes:
    """Read one file of a bundle.

    Args:
        bundle: the zip file.
        member: name of the file in it.

    Returns:
        Its bytes, unpacked.

    Raises:
        WeightsError: the bundle is missing or damaged, or lacks the member.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            return archive.read(member)
    except OSError as error:
        raise WeightsError(f"{bundle}: expected MediaPipe's face_landmarker.task, {error.strerror}.") from error
    except (KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"{bundle}: expected MediaPipe's face_landmarker.task with {member} inside, got something else. "
            "Give another file, or delete this one to have it downloaded."
        ) from error


def _load_runtime() -> Any:
    try:
        return importlib.import_module("ai_edge_litert.interpreter")
    except ImportError as error:
        raise SettingsError(
            "The mesh landmarks need the ai-edge-litert package: pip install 'faceswap-gan[mesh]'."
        ) from error
