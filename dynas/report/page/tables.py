"""The tables and facts of a page as HTML; every text of a run is escaped here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape

from dynas.report.compare import Comparison
from dynas.report.next_commands import evaluate_command, export_command, has_commands, index
from dynas.report.page.data import Member
from dynas.report.page.known import Known
from dynas.report.quality import Quality
from dynas.report.tables import SPEED_CAPTION, SPEED_TITLE, measures, reach_text
from dynas.report.text import compact, known_text, or_dash, point_text, quality_text, readable
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


def folding_cell(text: str) -> str:
    """Return a cell whose text may take several lines."""
    return f'<td class="texts">{escape(text)}</td>'


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
        places = [f"of #{place}" for place in range(1, len(comparison.groups) + 1)]
        reach = [
            [
                text_cell(str(place)),
                text_cell(group.name),
                *(text_cell(reach_text(group, rival)) for rival in comparison.groups),
            ]
            for place, group in enumerate(comparison.groups, start=1)
        ]
        shown += f"<h3>{escape(SPEED_TITLE.capitalize())}</h3>" + table("reach", ["#", "runs", *places], reach)
        shown += f'<p class="hint">{escape(SPEED_CAPTION)}.</p>'
    return shown


def members_html(comparison: Comparison, members: Sequence[Member], joint: Sequence[bool]) -> str:
    """Return the sortable table of front members, with commands to copy."""
    names = list(dict.fromkeys(name for _, run, row in members for name in run.architecture(row)))
    header = ["runs", "seed", "row", "best of all"]
    header += [objective.column for objective in comparison.objectives] + names + ["commands"]
    rows = []
    for (place, run, row), best in zip(members, joint, strict=True):
        architecture = run.architecture(row)
        number = index(run, row)
        cells = [folding_cell(comparison.groups[place].name), text_cell(str(run.facts["seed"]), run.facts["seed"])]
        cells += [text_cell(number, number), text_cell("●" if best else "", int(not best))]
        cells += [text_cell(readable(float(value)), repr(float(value))) for value in run.values[row]]
        cells += [folding_cell(compact(architecture.get(name, ""))) for name in names]
        rows.append([*cells, f"<td>{_buttons(run, row)}</td>"])
    return table("members", header, rows, sortable=True)


def known_html(comparison: Comparison, known: Sequence[Known]) -> str:
    """Return what is said of sub-networks that have a name: what they are, their values, and commands to copy."""
    items = []
    for one in known:
        group = next(group.name for group in comparison.groups if one.run in group.runs)
        values = point_text(comparison.objectives, one.run.values[one.row].tolist())
        text = (
            f"{one.what}: {group}, seed {one.run.facts['seed']}, row {index(one.run, one.row)}: {values}. {one.reason}"
        )
        items.append(f"<li>{escape(text)} {_buttons(one.run, one.row)}</li>")
    return f'<ul class="facts">{"".join(items)}</ul>'


def quality_html(quality: Sequence[Quality]) -> str:
    """Return the table of predictor errors per iteration."""
    header = ["runs", "objective", "iteration", "examples", "MAPE [%]", "± s.e.", "Kendall tau", "± s.e."]
    rows = []
    for one in quality:
        cells = [one.predictor, one.objective, str(one.iteration), f"{one.size:g}"]
        errors = (one.mape, one.mape_error, one.kendall_tau, one.kendall_tau_error)
        cells += [or_dash(value, ".3f") for value in errors]
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
    if known := known_text(run):
        shown["known"] = known
    shown |= {key: facts[key] for key in ("reference_ms", *DIGESTS) if facts.get(key)}
    if isinstance(overrides, list):
        shown["command"] = " ".join(["dynas search", *map(str, overrides)])
    terms = "".join(f"<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>" for key, value in shown.items())
    config = escape(json.dumps(facts.get("config"), indent=2, default=str))
    title = escape(f"{name}, seed {facts['seed']}")
    return f"<details><summary>{title}</summary><dl>{terms}</dl><h4>Config</h4><pre>{config}</pre></details>"


def _buttons(run: Run, row: int) -> str:
    if not has_commands(run):
        return ""
    return _copy("evaluate", evaluate_command(run, row)) + _copy("export", export_command(run, row))


def _copy(word: str, command: str) -> str:
    """Return a button that copies a command."""
    text = escape(command)
    return f'<button type="button" class="copy" data-copy="{text}" title="{text}">{word}</button>'
