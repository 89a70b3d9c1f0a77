"""Naming groups of runs by what differs between them, and choosing runs by what they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynas.errors import DynasError, did_you_mean
from dynas.report.text import printable
from dynas.runs.load import Run

FIRST = ("mode", "algo", "predictor", "supernet", "data", "hardware", "precision")  # order in a name
# presets and followers, as what they set is looked at; and what changes no result
NO_CHOICE = ("objectives", "experiment", "executor", "track")
# keys of the config that are looked at elsewhere, or ignored
NO_SETTING = ("seed", "budget", "objectives", "resume", "executor", "track")
WITHOUT_EFFECT = {"random": ("algo.population",)}  # settings of algorithms that change no result but its luck
WITHOUT_PREDICTOR = ("validation",)  # modes in whose runs the chosen predictor says nothing


def group_names(runs: Sequence[Run]) -> list[str]:
    """Return one name per run; runs that differ in nothing but their seed get the same.

    A name holds only what differs between the runs: the options of config groups, and single settings as
    ``key=value``. The settings of a group are looked at only among runs with the same option of it, and predictors
    only where they are used. Where nothing differs, mode and algorithm are the name.
    """
    described = [settings(run) for run in runs]
    keys = sorted(dict.fromkeys(key for one in described for key in one), key=_place)
    shown = [key for key in keys if _differs(key, described)]
    if not shown:
        shown = [key for key in keys if key in ("mode", "algo")]
    labels = {key: _label(key, shown) for key in shown}
    names = []
    for one in described:
        parts = [labels[key] + one.get(key, "none") for key in shown if key in one or _is_missed(key, one, described)]
        names.append(printable(" ".join(parts)) or "runs")
    return names


def is_search(run: Run) -> bool:
    """Return whether a run searched, and did not just measure what it was given: some architectures, or a front."""
    config = run.facts.get("config")
    return "mode" in run.choices and not (isinstance(config, Mapping) and "run" in config)


def shared_choices(runs: Sequence[Run]) -> dict[str, str]:
    """Return the options of config groups that all runs have in common, in the order of names."""
    described = [settings(run) for run in runs]
    keys = sorted((key for key in described[0] if _place(key)[0] == 0 or key == "budget="), key=_place)
    agreed = [key for key in keys if len({one.get(key) for one in described}) == 1]
    return {key.rstrip("="): described[0][key] for key in agreed}


def chosen_runs(runs: Sequence[Run], wanted: Sequence[str]) -> list[Run]:
    """Return the runs that have every ``KEY=VALUE`` of ``wanted``, such as ``mode=linas`` or ``mode.population=25``.

    Raises:
        DynasError: something is not written so, no run has such a key, or no run is left.
    """
    left = list(runs)
    for text in wanted:
        key, equals, value = text.partition("=")
        described = [chosen_by(run) for run in runs]
        known = sorted(dict.fromkeys(name for one in described for name in one))
        if not equals or key not in known:
            plain = ", ".join(name for name in known if "." not in name)
            raise DynasError(
                f"--where {text}: give KEY=VALUE with one of {plain}, or a setting such as mode.population"
                f"{did_you_mean(key, known)}"
            )
        values = sorted({one[key] for one in described if key in one})
        left = [run for run in left if chosen_by(run).get(key) == value]
        if not left:
            raise DynasError(
                f"--where {' --where '.join(wanted)} leaves no run; {key} is {', '.join(values)} in these"
                f"{did_you_mean(value, values)}"
            )
    return left


def settings(run: Run) -> dict[str, str]:
    """Return a run's choices (plain keys) and single settings (dotted keys, or ending in ``=``), but for the seed."""
    predicts = run.choices.get("mode") not in WITHOUT_PREDICTOR
    described = {
        group: option
        for group, option in run.choices.items()
        if group not in NO_CHOICE and not group.startswith("hydra") and option not in ("None", "null")
    }
    described["budget="] = str(run.facts["budget"])
    for objective in run.objectives:
        if objective.bound is not None:
            described[f"{objective.name}.bound"] = f"{objective.bound:g}"
    config = run.facts.get("config")
    for key, value in config.items() if isinstance(config, Mapping) else ():
        if key == "objectives" and isinstance(value, Mapping):
            described |= _predictors(value) if predicts else {}
        elif key not in NO_SETTING and (isinstance(value, Mapping) or key not in run.choices):
            described |= flat_settings(value, str(key))
    if digest := run.facts.get("weights_sha256"):  # the same path may have held other weights
        described["supernet.weights"] = f"{described.get('supernet.weights', '').split('/')[-1]}:{str(digest)[:6]}"
    if not predicts:
        described = {key: value for key, value in described.items() if key.split(".")[0] != "predictor"}
    idle = WITHOUT_EFFECT.get(run.choices.get("algo", ""), ())
    return {key: value for key, value in described.items() if key not in idle}


def flat_settings(value: object, key: str) -> dict[str, str]:
    """Return nested mappings as one mapping of dotted keys; a key that is not dotted ends in ``=``.

    What is null or an empty list is left out: a run of a version without such a setting means the same.
    """
    if isinstance(value, Mapping):
        return {
            name: text for part, inner in value.items() for name, text in flat_settings(inner, f"{key}.{part}").items()
        }
    if value is None or value == []:
        return {}
    return {key if "." in key else f"{key}=": str(value)}


def _predictors(objectives: Mapping[str, object]) -> dict[str, str]:
    """Return which objectives have a predictor of their own."""
    own = {name: one.get("predictor") for name, one in objectives.items() if isinstance(one, Mapping)}
    return {f"{name}.predictor": str(predictor) for name, predictor in own.items() if predictor is not None}


def chosen_by(run: Run) -> dict[str, str]:
    """Return everything that a run can be chosen by, under the names that a user types."""
    facts = {"seed": str(run.facts["seed"]), "status": str(run.facts["status"])}
    facts["objectives"] = ",".join(objective.name for objective in run.objectives)
    machine = run.facts.get("machine")
    if isinstance(machine, Mapping) and machine.get("cpu"):
        facts["machine"] = str(machine["cpu"])
    return {key.rstrip("="): value for key, value in settings(run).items()} | facts


def _section(key: str) -> str | None:
    return key.split(".")[0] if "." in key else None


def _differs(key: str, described: Sequence[Mapping[str, str]]) -> bool:
    """Return whether a setting differs between runs that agree on the option of its config group."""
    if key == "predictor":  # missing where none is used, which the mode says
        return len({one[key] for one in described if key in one}) > 1
    section = _section(key)
    values: dict[str | None, set[str | None]] = {}
    for one in described:
        option = one.get(section) if section else None
        if section != "predictor" or option is not None:
            values.setdefault(option, set()).add(one.get(key))
    return any(len(some) > 1 for some in values.values())


def _is_missed(key: str, one: Mapping[str, str], described: Sequence[Mapping[str, str]]) -> bool:
    """Return whether a reader has to be told that a run lacks a setting, as runs of the same option have it."""
    section = _section(key)
    if section is None:
        return key.endswith("=")
    return any(key in other and other.get(section) == one.get(section) for other in described)


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
    alone = last not in ("bound", "predictor") and sum(other.split(".")[-1] == last for other in shown) == 1
    return f"{last if alone else key}="
