"""What run.json of earlier versions says in today's words.

Format 0, without a number, is that of version 0.1.0 until November 2026. What it called ``group`` and
``hardware.precision`` is now ``together`` and ``hardware.tolerance``; batch sizes of latencies and the shape of the
network behind ``data=imagenet_surrogate`` were set by config groups that are no more. A training took the shipped
images and all cores, where nothing else was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RENAMED = {"group": "together", "hardware.precision": "hardware.tolerance"}  # config keys, old and new
FOLLOWERS = ("hardware_for", "shape", "recipe_for")  # config groups that are no more
LATENCY_BATCH = {"NcfSupernet": 100, "TransformerSupernet": 1}  # that of a supernet's own, by its class
MOVIELENS, NCF_MOVIELENS = (671, 3496), "ncf_movielens"  # users and items; the supernet for them
BEFORE_MOVIELENS = ("supernet=ncf", "supernet.weights=embedded")  # what chose it before it had a name
SURROGATE = "dynas.data.imagenet_surrogate.ImageNetSurrogate"
SINGLE = "dynas.predictors.gp.GaussianProcess"
AVERAGE = "dynas.predictors.gp_average.GaussianProcessAverage"
SHAPE = {
    "weights": "random", "width": 1.0, "resolution": [224, 224], "channels": 3, "classes": 1000, "stem_stride": 2,
    "strides": [2, 2, 2, 1, 2],
}  # fmt: skip


def upgraded(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of format 0 in today's words; what is of another kind than expected stays as it is."""
    facts = dict(facts)
    config, overrides, choices = (facts.get(name) for name in ("config", "overrides", "choices"))
    if isinstance(choices, dict):
        facts["choices"] = {group: option for group, option in choices.items() if group not in FOLLOWERS}
    if isinstance(overrides, list):
        # the plain recipe was that of every supernet, which a follower then changed
        facts["overrides"] = [renamed(one) for one in overrides if one != "recipe=sandwich"]
    if isinstance(config, dict):
        facts["config"] = upgraded_config(config, facts.get("overrides"))
        if isinstance(facts.get("overrides"), list):
            facts["overrides"] += training_of(config, choices, facts["overrides"])
    return facts


def with_movielens_apart(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of any format, the recommender of MovieLens by its name: until 0.2.0 it was ``supernet=ncf``."""
    facts = dict(facts)
    config, choices, overrides = (facts.get(name) for name in ("config", "choices", "overrides"))
    if not (isinstance(config, dict) and isinstance(choices, dict) and isinstance(overrides, list)):
        return facts
    supernet = config.get("supernet")
    if choices.get("supernet") != "ncf" or not isinstance(supernet, dict):
        return facts
    if (supernet.get("users"), supernet.get("items")) != MOVIELENS:
        return facts
    facts["choices"] = {**choices, "supernet": NCF_MOVIELENS}
    facts["overrides"] = [f"supernet={NCF_MOVIELENS}", *(one for one in overrides if one not in BEFORE_MOVIELENS)]
    if supernet.get("weights") == "embedded":
        facts["config"] = {**config, "supernet": {**supernet, "weights": "movielens"}}
    return facts


def renamed(override: object) -> object:
    """Return an override with today's name of its key."""
    if not isinstance(override, str):
        return override
    key, sign, value = override.partition("=")
    return f"{RENAMED.get(key, key)}{sign}{value}"


def upgraded_config(config: Mapping[str, Any], overrides: object) -> dict[str, Any]:
    """Return the composed config as today's configs give it."""
    config = dict(config)
    if "group" in config:
        config["together"] = config.pop("group")
    supernet, data, hardware = (config.get(name) for name in ("supernet", "data", "hardware"))
    if isinstance(supernet, dict) and (batch := latency_batch(supernet)) is not None:
        config["supernet"] = {**supernet, "latency_batch": batch}
    if isinstance(data, dict) and data.get("_target_") == SURROGATE:
        config["data"] = {**data, "shape": SHAPE}
    if isinstance(hardware, dict):
        hardware = dict(hardware)
        if "precision" in hardware:
            hardware["tolerance"] = hardware.pop("precision")
        if "batch_size" in hardware and not _given("hardware.batch_size", overrides):
            hardware["batch_size"] = None
        config["hardware"] = hardware
    return config


def latency_batch(supernet: Mapping[str, Any]) -> int | None:
    """Return how many samples the latencies of a supernet were stated for; None: as many as the hardware said."""
    return LATENCY_BATCH.get(str(supernet.get("_target_", "")).rpartition(".")[2])


def searched(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a search before 2026-11-30 with its one Gaussian process in today's words.

    Every quality was measured then. Facts of later runs stay as they are.
    """
    config = facts.get("config")
    if not isinstance(config, dict):
        return dict(facts)
    predictor = config.get("predictor")
    if isinstance(predictor, dict) and predictor.get("_target_") == SINGLE:
        config = {**config, "predictor": {**predictor, "_target_": AVERAGE, "processes": ["shared"]}}
    if "warm_start" in config and "known" not in config:
        config = {**config, "known": None}
    return {**facts, "config": config}


def training_of(config: Mapping[str, Any], choices: object, overrides: object) -> list[str]:
    """Return what a training was by default, as overrides: its recipe, the shipped images, all cores."""
    recipe = config.get("recipe")
    if not isinstance(recipe, dict) or not isinstance(choices, dict):
        return []
    threads = config.get("threads", 1)
    whole: dict[str, Any] = {"smallest_every": 1, **recipe}  # every step trained the smallest sub-network then
    found = {f"recipe.{key}": value for key, value in whole.items() if not key.endswith("_")}
    found |= {"data": choices.get("data"), "threads": "null" if threads is None else threads}
    simple = {key: value for key, value in found.items() if isinstance(value, str | int | float)}
    return [f"{key}={value}" for key, value in simple.items() if not _given(key, overrides)]


def _given(key: str, overrides: object) -> bool:
    return isinstance(overrides, list) and any(str(one).startswith(f"{key}=") for one in overrides)
