"""Settings read back from their text form, the config.toml of a model."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from typing import Any, get_args, get_type_hints

from faceswap_gan.config import Augmentation, LossSettings, ModelSettings, Settings, TrainSettings
from faceswap_gan.errors import ModelError

_SECTIONS: dict[str, type[Any]] = {
    "model": ModelSettings,
    "losses": LossSettings,
    "augmentation": Augmentation,
    "training": TrainSettings,
}


def read_toml(text: str) -> Settings:
    """Read settings back from `Settings.to_toml`'s text.

    Raises:
        ModelError: the text is damaged or holds settings that this version does not know.
    """
    try:
        data = tomllib.loads(text)
        sections = {name: kind(**data.pop(name)) for name, kind in _SECTIONS.items()}
        settings = Settings(**data, **sections)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ModelError(
            f"expected the settings of a model in config.toml, got something else ({error}); "
            "restore the file or train into another --model."
        ) from error
    _check_types(settings)
    return settings


def _check_types(settings: Settings) -> None:
    for name, kind in _SECTIONS.items():
        section, hints = getattr(settings, name), get_type_hints(kind)
        for each in fields(section):
            _check_value(f"{name}.{each.name}", getattr(section, each.name), hints[each.name])
    _check_value("preset", settings.preset, str)


def _check_value(name: str, value: object, kind: Any) -> None:
    choices = get_args(kind)  # of a Literal
    numbers = {float: (int, float), int: (int,)}.get(kind)
    if choices:
        fits = value in choices
    else:
        fits = isinstance(value, numbers) and not isinstance(value, bool) if numbers else isinstance(value, kind)
    if not fits:
        wanted = f"one of {', '.join(choices)}" if choices else f"of type {kind.__name__}"
        raise ModelError(f"config.toml: expected {name} to be {wanted}, got {value!r}; restore the file.")
