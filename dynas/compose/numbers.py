"""Whether the numbers of a config make sense together, before anything is made from it."""

from __future__ import annotations

from omegaconf import DictConfig, OmegaConf

from dynas.compose.build import contents
from dynas.compose.check import check_part
from dynas.errors import DynasError


def check_numbers(config: DictConfig) -> None:
    """Raise DynasError where the frame's numbers make no sense or the budget does not pay the first measurements."""
    check_seed(config)
    check_together(config)
    check_part("algo", contents(config, "algo"))
    check_part("mode", {key: value for key, value in contents(config, "mode").items() if key != "schedule"})
    keys = ("mode.training", "mode.population", "algo.population")
    first = next((key for key in keys if OmegaConf.select(config, key) is not None), None)
    wanted = OmegaConf.select(config, first) if first else 1
    if config.budget < max(wanted, 1):
        raise DynasError(
            f"budget={config.budget} is smaller than {first}={wanted}: "
            f"give budget={wanted} or more, or a smaller {first}"
        )


def check_seed(config: DictConfig) -> None:
    """Raise DynasError for a negative seed."""
    if config.seed < 0:
        raise DynasError(f"seed={config.seed}: give 0 or more")


def check_together(config: DictConfig) -> None:
    """Raise DynasError where no sub-network would be measured at a time."""
    if config.together < 1:
        raise DynasError(f"together={config.together}: give 1 or more")
