"""A report as one HTML file that opens from disk: no network, no other file, no script but its own."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from dynas.report.comparable import timing_text
from dynas.report.compare import Comparison
from dynas.report.groups import shared_choices
from dynas.report.page.data import chart_data, front_members, joint_front
from dynas.report.page.known import known
from dynas.report.page.tables import comparison_html, facts_html, known_html, members_html, quality_html
from dynas.report.pick import Pick
from dynas.report.quality import qualities
from dynas.report.text import point_text
from dynas.system.files import write_atomic

ASSETS = Path(__file__).parent


def write_page(comparison: Comparison, path: Path, chosen: Pick | None = None) -> None:
    """Write the page.

    Its content security policy lets nothing load and no script run but the one that is written into it, so that
    texts of somebody else's run folder stay texts.

    Raises:
        OSError: the file cannot be written.
        DynasError: a run's predictors.csv is damaged.
    """
    write_atomic(path, page(comparison, chosen).encode("utf-8", "replace").decode())


def page(comparison: Comparison, chosen: Pick | None = None, version: str | None = None) -> str:
    """Return the page as text.

    Args:
        comparison: what it shows.
        chosen: the sub-network that was picked.
        version: of a page that is served and looks for a newer one: what tells this one from others.
    """
    script = _asset("page.js")
    members = front_members(comparison)
    quality = qualities(comparison)
    named = known(comparison, chosen)
    data = json.dumps(chart_data(comparison, quality, members, named), ensure_ascii=False, allow_nan=False)
    names = ", ".join(objective.name for objective in comparison.objectives)
    title = f"{names}: {len(comparison.runs)} run{'s' * (len(comparison.runs) > 1)}"
    total = sum(len(run.front) for run in comparison.runs)
    facts = "".join(facts_html(group.name, run) for group in comparison.groups for run in group.runs)
    shown = f"{len(members)} of {total}" if len(members) < total else str(total)
    body = f"""<header><h1>{escape(title)}</h1>{_shared(comparison)}{_live(version)}</header>
<main>
<nav id="legend" aria-label="runs that are shown"></nav>
<section><h2>Measured sub-networks and fronts</h2><figure id="fronts"></figure>
{known_html(comparison, named) if named else ""}</section>
<section><h2>Comparison</h2>{comparison_html(comparison)}{_summary(comparison)}</section>
<section><h2>Hypervolume</h2><figure id="hypervolume"></figure></section>
{_predictors(quality_html(quality)) if quality else ""}
<section><h2>Front members ({shown})</h2>
<p class="facts">The buttons copy the commands that measure a sub-network again and write it as files.</p>
{members_html(comparison, members, joint_front(members).tolist()) if members else "<p>none</p>"}</section>
<section><h2>Runs</h2>{facts}</section>
</main>
<p id="said" role="status"></p>
<footer>Written by dynas report on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.</footer>
<script type="application/json" id="data">{_harmless(data)}</script>
<script>{script}</script>"""
    return document(title, body, version, [script])


def waiting(sentence: str, version: str) -> str:
    """Return a served page that has nothing to show yet but why, and looks for a newer one."""
    return document(
        "waiting", f"<header><h1>dynas report</h1><p>{escape(sentence)}</p>{_live(version)}</header>", version
    )


def document(title: str, body: str, version: str | None, scripts: Sequence[str] = ()) -> str:
    """Return a whole page.

    Args:
        title: its title.
        body: what it shows, as HTML.
        version: see `page`.
        scripts: those that stand in its body.
    """
    style, live = _asset("page.css"), _asset("live.js")
    allowed = [*scripts, live] if version is not None else scripts
    policy = f"default-src 'none'; style-src '{_digest(style)}'; img-src data:; script-src "
    policy += " ".join(f"'{_digest(one)}'" for one in allowed)
    policy += "; connect-src 'self'" if version is not None else ""
    end = f"<script>{live}</script>" if version is not None else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>dynas report: {escape(title)}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}{end}
</body>
</html>
"""


def _live(version: str | None) -> str:
    return "" if version is None else f'<p id="live" role="status" data-version="{escape(version)}">live</p>'


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _shared(comparison: Comparison) -> str:
    shared = ", ".join(f"{key} {option}" for key, option in shared_choices(comparison.runs).items())
    return f"<p>All: {escape(shared)}.</p>" if shared else ""


def _summary(comparison: Comparison) -> str:
    meaning = "the worst measured in any of the runs" if comparison.worst else "as given"
    point = point_text(comparison.objectives, comparison.reference)
    lines = [f"Reference point of the hypervolume: {point} ({meaning})."]
    lines += [*dict.fromkeys(f"{text}." for run in comparison.runs if (text := timing_text(run))), *comparison.notes]
    return f'<ul class="facts">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def _predictors(shown: str) -> str:
    return f"""<section><h2>Predictors</h2><div id="predictors"></div>
<details><summary>Cross-validated errors per iteration</summary>{shown}</details></section>"""


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _harmless(text: str) -> str:
    """Return JSON that cannot end the script element that it stands in."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
