"""The commands that go on with one row of a run: measure it again, export it."""

from __future__ import annotations

import shlex

from dynas.runs.load import Run

SECTIONS = ("supernet", "data", "hardware", "precision")  # what dynas evaluate shares with dynas search


def has_commands(run: Run) -> bool:
    """Return whether commands can go on with a run: one that measured a function has no supernet to rebuild."""
    return "supernet" in run.choices


def export_command(run: Run, row: int) -> str:
    """Return the command that writes a sub-network as files; what names the user's own code is repeated in it."""
    overrides = run.facts.get("overrides")
    own = [str(one) for one in overrides if names_code(str(one))] if isinstance(overrides, list) else []
    return _joined(["dynas", "export", str(run.folder), "--row", index(run, row), *own])


def names_code(override: str) -> bool:
    """Return whether an override of supernet or data is not taken over from a run folder unseen."""
    from dynas.compose.stored import danger  # takes its time

    return override.split(".")[0] in ("supernet", "data") and "=" in override and bool(danger(override))


def evaluate_command(run: Run, row: int) -> str:
    """Return the command that measures a sub-network again, under the circumstances of its run."""
    chosen = [f"{section}={run.choices[section]}" for section in SECTIONS if _is_chosen(run, section)]
    chosen.append(f"objectives=[{','.join(objective.name for objective in run.objectives)}]")
    overrides = run.facts.get("overrides")
    for override in overrides if isinstance(overrides, list) else ():
        if str(override).lstrip("+~").split("=")[0].split(".")[0] in SECTIONS and "." in str(override).split("=")[0]:
            chosen.append(str(override))
    return _joined(
        ["dynas", "evaluate", *chosen, f"architectures={_hydra(str(run.folder))}", f"rows=[{index(run, row)}]"]
    )


def index(run: Run, row: int) -> str:
    """Return the index in results.csv of the row at a position."""
    return run.rows[row][run.header.index("index")]


def _is_chosen(run: Run, section: str) -> bool:
    option = run.choices.get(section, "None")
    return option not in ("None", "fp32")


def _hydra(text: str) -> str:
    """Return a path as Hydra reads it, in quotes where it has signs of Hydra's grammar."""
    return text if all(sign.isalnum() or sign in "/-_.+:%~" for sign in text) else "'" + text.replace("'", "\\'") + "'"


def _joined(words: list[str]) -> str:
    return shlex.join(words)
