"""The tables and facts of a page as HTML; every text of a run is escaped here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from dynas.report.compare import Comparison
from dynas.report.next_commands import evaluate_command, export_command, index
from dynas.report.page.data import Member
from dynas.report.quality import Quality
from dynas.report.tables import measures, reach_text
from dynas.report.text import compact, quality_text, readable
from dynas.runs.load import Run

DIGESTS = ("weights_sha256", "data_sha256", "hardware_sha256", "config_sha256")


def table(name: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, sortable: bool = False) -> str:
    """Return a table of cells that are HTML already; a sortable one has buttons in its header."""
    heads = [f'<button type="button">{escape(text)}</button>' if sortable and text else escape(text) for text in header]
    head = "".join(f'<th scope="col">{cell}</th>' for cell in heads)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    kind = ' class="sortable"' if sortable else ""
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(name)}"><table{kind} id="{escape(name)}">'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def text_cell(text: str, value: object = None) -> str:
    """Return a cell; ``value`` is what it is sorted by."""
    sort = "" if value is None else f' data-value="{escape(str(value))}"'
    return f"<td{sort}>{escape(text)}</td>"


def comparison_html(comparison: Comparison) -> str:
    """Return the table of groups, and the table of evaluations that they need."""
    names, cells = measures(comparison)
    header = ["#", "runs", *names]
    rows = [
        [text_cell(cell) for cell in (str(place), group.name, *own)]
        for place, (group, own) in enumerate(zip(comparison.groups, cells, strict=True), start=1)
    ]
    shown = table("comparison", header, rows)
    if len(comparison.groups) > 1:
        places = [f"#{place}" for place in range(1, len(comparison.groups) + 1)]
        reach = [
            [
                text_cell(str(place)),
                text_cell(group.name),
                *(text_cell(reach_text(group, rival)) for rival in comparison.groups),
            ]
            for place, group in enumerate(comparison.groups, start=1)
        ]
        shown += "<h3>Evaluations to the final hypervolume of each, and how many times fewer than it needs itself</h3>"
        shown += table("reach", ["#", "runs", *places], reach)
    return shown


def members_html(comparison: Comparison, members: Sequence[Member], joint: Sequence[bool]) -> str:
    """Return the sortable table of front members, with commands to copy."""
    names = list(dict.fromkeys(name for _, run, row in members for name in json.loads(run.architectures[row])))
    header = ["runs", "seed", "row", "best of all"]
    header += [objective.column for objective in comparison.objectives] + names + ["commands"]
    rows = []
    for (place, run, row), best in zip(members, joint, strict=True):
        architecture = json.loads(run.architectures[row])
        number = index(run, row)
        cells = [text_cell(comparison.groups[place].name), text_cell(str(run.facts["seed"]), run.facts["seed"])]
        cells += [text_cell(number, number), text_cell("●" if best else "", int(not best))]
        cells += [text_cell(readable(float(value)), repr(float(value))) for value in run.values[row]]
        cells += [text_cell(compact(architecture.get(name, ""))) for name in names]
        buttons = _copy("evaluate", evaluate_command(run, row)) + _copy("export", export_command(run, row))
        rows.append([*cells, f"<td>{buttons}</td>"])
    return table("members", header, rows, sortable=True)


def quality_html(quality: Sequence[Quality]) -> str:
    """Return the table of predictor errors per iteration."""
    header = ["runs", "objective", "iteration", "examples", "MAPE [%]", "± s.e.", "Kendall tau", "± s.e."]
    rows = []
    for one in quality:
        cells = [one.predictor, one.objective, str(one.iteration), f"{one.size:g}", f"{one.mape:.3f}"]
        cells += [_error(one.mape_error), f"{one.kendall_tau:.3f}", _error(one.kendall_tau_error)]
        rows.append([text_cell(cell) for cell in cells])
    return table("quality", header, rows)


def facts_html(name: str, run: Run) -> str:
    """Return what run.json says of a run, folded up."""
    facts = run.facts
    overrides = facts.get("overrides")
    shown: dict[str, object] = {"folder": run.folder, "status": facts["status"], "evaluations": len(run)}
    shown |= {key: facts[key] for key in ("started", "ended", "seconds", "cpu_seconds", "stopped") if facts.get(key)}
    for section in ("machine", "hardware", "versions"):
        entries = facts.get(section)
        if isinstance(entries, Mapping) and entries:
            shown[section] = ", ".join(f"{key} {value}" for key, value in entries.items() if value is not None)
    if quality := quality_text(run):
        shown["latencies"] = quality
    shown |= {key: facts[key] for key in ("reference_ms", *DIGESTS) if facts.get(key)}
    if isinstance(overrides, list):
        shown["command"] = " ".join(["dynas search", *map(str, overrides)])
    terms = "".join(f"<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>" for key, value in shown.items())
    config = escape(json.dumps(facts.get("config"), indent=2, default=str))
    title = escape(f"{name}, seed {facts['seed']}")
    return f"<details><summary>{title}</summary><dl>{terms}</dl><h4>Config</h4><pre>{config}</pre></details>"


def _copy(word: str, command: str) -> str:
    """Return a button that copies a command."""
    text = escape(command)
    return f'<button type="button" class="copy" data-copy="{text}" title="{text}">{word}</button>'


def _error(value: float) -> str:
    return f"{value:.2g}" if np.isfinite(value) else "—"
