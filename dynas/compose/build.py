"""The only place that makes objects from a config."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from hydra import compose
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dynas.compose.check import check_part
from dynas.compose.overrides import one_sentence
from dynas.errors import DynasError, os_sentence

log = logging.getLogger(__name__)

CALLED = ("algo", "executor", "predictor")  # parts that make something only when they are called


def build(config: DictConfig, part: str) -> Any:
    """Return the object that ``config.<part>`` describes.

    Raises:
        DynasError: its class refuses the settings, or cannot be found.
    """
    path = config._get_full_key(part)
    try:
        check_part(path, contents(config, part))
        made = instantiate(config[part], _convert_="all")
    except Exception as error:  # a class that a config names may raise anything
        raise refusal(path, error) from error
    if path in CALLED and not callable(made):
        raise DynasError(f"{path} makes a {type(made).__name__}, which cannot be called: leave {path}._partial_=true")
    return made


def call(path: str, made: Callable[..., Any], *arguments: object) -> Any:
    """Return what a part of a config makes that is called, or raise DynasError as `build` does."""
    try:
        return made(*arguments)
    except Exception as error:  # as in build
        raise refusal(path, error) from error


def contents(config: DictConfig, part: str) -> Any:
    """Return what stands at a key, resolved, as plain containers."""
    node = config[part]
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def refusal(path: str, error: BaseException) -> DynasError:
    """Return what kept a part of a config from being made in one sentence.

    Hydra wraps what a class or its module raises, once or several times: our own error counts, else the first one.
    """
    log.debug("building %s failed", path, exc_info=error)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DynasError):
            return cause
        first, cause = cause, cause.__cause__
    if isinstance(first, OSError):
        return DynasError(f"cannot build {path} from its config: {os_sentence(first)}")
    if isinstance(first, OmegaConfBaseException):
        return DynasError(f"{path}: {one_sentence(first)}")
    return DynasError(f"cannot build {path} from its config: {' '.join(str(first).split()) or type(first).__name__}")


def build_option(group: str, name: str) -> Any:
    """Return the object that one option of a group describes, with its defaults; Hydra must have been started.

    Raises:
        hydra.errors.HydraException: there is no such option.
        DynasError: its class refuses the settings.
    """
    return build(compose("search", overrides=[f"{group}={name}"]), group)
