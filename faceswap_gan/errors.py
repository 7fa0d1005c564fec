"""Expected failures, each a type of its own.

::

    FaceSwapError                 exit code 1, one line, no traceback
    ├── MediaError                a video or picture cannot be read or written
    ├── FaceFolderError           a face or mask folder is missing, empty or damaged
    ├── NoFaceError               a video or picture shows no face to work on
    ├── ModelError                a model folder is missing, damaged or contradicts a flag
    │   └── DivergedError         training left what it can come back from; the trainer rolls back
    ├── MarksError                a mark cannot be made or read
    ├── WeightsError              a pretrained file is missing, damaged or cannot be fetched
    └── SettingsError             a setting is outside what it may be, or missing, as is consent

Every message says what was expected, what came and what to do.
"""

from __future__ import annotations


class FaceSwapError(Exception):
    """Base of all expected failures: shown as one line, exit code 1."""


class MediaError(FaceSwapError):
    """A video or picture cannot be read or written."""


class FaceFolderError(FaceSwapError):
    """A face or mask folder is missing, empty or damaged."""


class NoFaceError(FaceSwapError):
    """A video or picture shows no face to work on."""


class ModelError(FaceSwapError):
    """A model folder is missing, damaged or contradicts a flag."""


class DivergedError(ModelError):
    """Training left what it can come back from; the trainer rolls back.

    Args:
        message: what was seen.
        since: the step at which it was first seen, where that may be long ago.
    """

    def __init__(self, message: str, *, since: int | None = None) -> None:
        super().__init__(message)
        self.since = since


class WeightsError(FaceSwapError):
    """A pretrained file is missing, damaged or cannot be fetched."""


class MarksError(FaceSwapError):
    """A mark cannot be made or read."""


class SettingsError(FaceSwapError):
    """A setting is outside what it may be, or missing."""
