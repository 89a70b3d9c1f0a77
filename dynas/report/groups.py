"""Naming groups of runs by what differs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynas.report.load import Run

ALWAYS = ("mode", "algo")  # shown even where all runs agree
FIRST = (*ALWAYS, "predictor", "supernet", "data", "hardware")  # order of config groups in a name
NO_CHOICE = ("objectives", "experiment")  # presets: what they set is looked at instead
NO_SETTING = ("seed", "budget", "objectives", "resume")  # keys of the config that are looked at elsewhere, or ignored


def group_names(runs: Sequence[Run]) -> list[str]:
    """Return one name per run; runs that differ in nothing but their seed get the same.

    A name holds mode and algorithm, then what differs between the runs: the options of config groups, and single
    settings as ``key=value``. The settings of a group are looked at only among runs with the same option of it.
    """
    described = [_settings(run) for run in runs]
    keys = sorted(dict.fromkeys(key for settings in described for key in settings), key=_place)
    shown = [key for key in keys if key in ALWAYS or _differs(key, described)]
    labels = {key: _label(key, shown) for key in shown}
    names = []
    for settings in described:
        parts = [labels[key] + settings[key] for key in shown if key in settings]
        names.append(" ".join(parts) or "runs")
    return names


def _settings(run: Run) -> dict[str, str]:
    """Return a run's choices (plain keys) and single settings (dotted keys, or ending in ``=``), but for the seed."""
    settings = {
        group: option
        for group, option in run.choices.items()
        if group not in NO_CHOICE and not group.startswith("hydra") and option not in ("None", "null")
    }
    settings["budget="] = str(run.facts["budget"])
    for objective in run.objectives:
        if objective.bound is not None:
            settings[f"{objective.name}.bound"] = f"{objective.bound:g}"
    config = run.facts.get("config")
    for key, value in config.items() if isinstance(config, Mapping) else ():
        if key not in NO_SETTING:
            settings |= flat(value, str(key))
    if digest := run.facts.get("weights_sha256"):  # the same path may have held other weights
        settings["supernet.weights"] = f"{settings.get('supernet.weights', '').split('/')[-1]}:{str(digest)[:6]}"
    return settings


def flat(value: object, key: str) -> dict[str, str]:
    """Return nested mappings as one mapping of dotted keys; a key that is not dotted ends in ``=``."""
    if isinstance(value, Mapping):
        return {name: text for part, inner in value.items() for name, text in flat(inner, f"{key}.{part}").items()}
    return {key if "." in key else f"{key}=": str(value)}


def _differs(key: str, described: Sequence[Mapping[str, str]]) -> bool:
    """Return whether a setting differs between runs that agree on the option of its config group."""
    section = key.split(".")[0] if "." in key else None
    values: dict[str | None, set[str | None]] = {}
    for settings in described:
        option = settings.get(section) if section else None
        values.setdefault(option, set()).add(settings.get(key))
    return any(len(some) > 1 for some in values.values())


def _place(key: str) -> tuple[int, int]:
    is_setting = "." in key or key.endswith("=")
    return (int(is_setting), FIRST.index(key) if key in FIRST else len(FIRST))


def _label(key: str, shown: Sequence[str]) -> str:
    """Return what stands before a value: nothing for an option, the shortest clear name for a setting."""
    if key.endswith("="):
        return key
    if "." not in key:
        return ""
    last = key.split(".")[-1]
    alone = last != "bound" and sum(other.split(".")[-1] == last for other in shown) == 1
    return f"{last if alone else key}="
