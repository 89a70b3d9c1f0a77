"""The page is one file that keeps strange texts harmless, and works in a real browser."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dynas.commands.report import main
from dynas.errors import DynasError
from dynas.report.compare import compare
from dynas.report.page.known import known
from dynas.report.pick import Pick
from tests.helpers.run_folders import FIVE, LATENCY, MACS, TOP1, search, write_search

pytestmark = pytest.mark.slow

EVIL = '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two methods with two seeds each; every text that a run folder can hold is hostile somewhere."""
    home = tmp_path_factory.mktemp("page")
    values = [*FIVE, *((80 + step, 4 + 0.3 * step) for step in range(9))]
    for seed in (0, 1):
        run = write_search(home / "runs" / f"linas {seed}", [*values, (91, 7 - seed)], seed=seed, notes=[EVIL])
        rows = "".join(f"{step},top1,{2 * step},{1 / step},{1 - 1 / step}\n" for step in (1, 2, 3))
        (run / "predictors.csv").write_text("iteration,objective,examples,mape [%],kendall_tau\n" + rows)
        shared = {"data": {"source": "embedded"}, "hardware": {"threads": 1}}
        hostile: dict[str, Any] = {"config": shared | {"mode": {"population": EVIL}}, "overrides": [f"note={EVIL}"]}
        choices = {"mode": "validation", "algo": EVIL}
        machine = {"machine": {"cpu": "a processor", EVIL: EVIL}, "versions": {"torch": EVIL}}
        write_search(
            home / "runs" / f"{seed}<b>&", [*values, (82, 9)], choices=choices, seed=seed, **hostile, **machine
        )
    return home


@pytest.fixture(scope="module")
def page(folder: Path) -> Path:
    path = folder / "report.html"
    assert main([str(folder / "runs"), "--html", str(path), "--format", "csv"]) == 0
    return path


def test_the_page_is_whole_and_needs_nothing_else(page: Path) -> None:
    text = page.read_text()
    assert not re.search(r"(src|href)=[\"']?(?!data:)[^\"'> ]*//", text)
    assert "http" not in re.sub(r"http-equiv|http://www\.w3\.org/2000/svg", "", text)

    class Tags(HTMLParser):
        scripts = images = 0
        open: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attributes: object) -> None:
            self.scripts += tag == "script"
            self.images += tag == "img"
            if tag not in ("meta", "link"):
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    tags = Tags()
    tags.feed(text)
    assert (tags.scripts, tags.images, tags.open) == (2, 0, [])
    data = json.loads(re.findall(r'id="data">(.*?)</script>', text, flags=re.DOTALL)[0])
    assert {group["name"] for group in data["groups"]} == {"linas nsga2", f"validation {EVIL}"}


def test_a_page_that_cannot_be_written_is_refused(folder: Path) -> None:
    with pytest.raises(DynasError, match=r"cannot write '.*missing"):
        main([str(folder / "runs"), "--html", str(folder / "missing" / "a.html")])


def test_many_rows_are_thinned_and_fronts_are_kept(tmp_path: Path) -> None:
    rows = [(60 + (7 * step) % 20, 30 + (11 * step) % 13) for step in range(9000)]
    write_search(tmp_path / "run", [*rows, (95, 3)])
    main([str(tmp_path / "run"), "--html", str(tmp_path / "a.html"), "--format", "csv"])
    text = (tmp_path / "a.html").read_text()
    (run,) = json.loads(re.findall(r'id="data">(.*?)</script>', text, flags=re.DOTALL)[0])["groups"][0]["points"]
    assert run["row"][0] == "9001"
    assert run["front"][0] == 2
    assert run["left_out"] == 9001 - len(run["row"])
    assert 1000 < len(run["row"]) <= 4000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless browser of this machine."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any, page: Path) -> Iterator[Any]:
    """The page, opened from disk; whatever it logs or asks the network for fails the test."""
    view = chromium.new_context(viewport={"width": 1200, "height": 900}).new_page()
    said: list[str] = []
    asked: list[str] = []
    view.on("console", lambda message: said.append(message.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.on("request", lambda request: asked.append(request.url))
    view.goto(page.as_uri())
    yield view
    assert view.evaluate("window.hacked") is None
    assert said == []
    assert asked == [page.as_uri()]
    view.context.close()


def test_hovering_shows_the_architecture(opened: Any) -> None:
    opened.locator("#fronts path.dot.member").first.hover(force=True)
    tip = opened.locator("#fronts .tip")
    assert tip.is_visible()
    shown = tip.inner_text()
    assert re.search(r"^ks 3 5 7 \d$", shown, flags=re.MULTILINE)
    assert re.search(r"top1 [\d.]+ %; latency [\d.]+ ms", shown)
    opened.locator("#hypervolume svg.chart").hover()
    assert re.search(r"linas nsga2: [\d.]+ ± ", opened.locator("#hypervolume .tip").inner_text())


def test_what_the_pointer_shows_stands_beside_the_point(opened: Any) -> None:
    for place in (0, 3, -1):
        point = opened.locator("#fronts path.dot.member").nth(place)
        point.hover(force=True)
        tip, at = opened.locator("#fronts .tip").bounding_box(), point.bounding_box()
        x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
        beside = min(abs(tip["x"] - x), abs(tip["x"] + tip["width"] - x))
        assert beside < 40
        assert tip["y"] - 40 < y < tip["y"] + tip["height"] + 40


@pytest.mark.parametrize(("width", "height"), [(1200, 900), (1280, 720), (390, 844)])
def test_a_chart_fits_the_screen_and_its_texts_are_readable(chromium: Any, page: Path, width: int, height: int) -> None:
    view = chromium.new_context(viewport={"width": width, "height": height}).new_page()
    view.goto(page.as_uri())
    chart = view.locator("#fronts svg.chart").bounding_box()
    assert chart["y"] + chart["height"] < height
    assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sizes = view.evaluate(
        "[...document.querySelectorAll('svg.chart text')].map((text) => text.getBoundingClientRect().height)"
    )
    assert min(sizes) > 9
    up = "[...document.querySelectorAll('#fronts .tick text[text-anchor=end]')].length"
    assert 5 <= view.evaluate(up) <= 12
    box = "[...document.querySelectorAll('.wide:has(#members)')].map((one) => one.scrollWidth - one.clientWidth)[0]"
    assert width < 1000 or view.evaluate(box) == 0
    view.context.close()


def test_arrow_keys_after_a_click_choose_visible_members(opened: Any) -> None:
    chart = opened.locator("#fronts svg.chart")
    for _ in range(2):
        opened.locator("#fronts path.dot:not(.member):not(.own)").nth(3).click(force=True)
        chart.press("+")
    frame = opened.locator("#fronts svg.chart > svg").bounding_box()
    for key in ("ArrowRight", "ArrowLeft", "End", "Home"):
        chart.press(key)
        chosen = opened.locator("#fronts .chosen")
        if chosen.count():
            at = chosen.bounding_box()
            assert frame["x"] - 10 <= at["x"] <= frame["x"] + frame["width"]
            assert frame["y"] - 10 <= at["y"] <= frame["y"] + frame["height"]
            assert "on the front" in opened.locator("#fronts .tip").inner_text()


def test_the_knee_is_marked_and_the_best_within_a_limit_can_be_picked(
    opened: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "knee" in opened.locator("#fronts .mark").all_text_contents()
    assert opened.locator(".facts li", has_text="knee: ").count() == 1
    for limit in ("4.5", "5.9", "99"):
        opened.locator("#pick input").fill(limit)
        opened.locator("#pick input").press("Enter")
        assert main([str(folder / "runs"), "--pick", f"latency<={limit}", "--format", "json"]) == 0
        picked = json.loads(capsys.readouterr().out)
        top1 = re.search(r"top1 ([\d.]+) %", opened.locator("#pick output").inner_text())
        assert top1
        assert float(top1[1]) == pytest.approx(picked["measured"]["top1 [%]"])
        assert any("pick" in text for text in opened.locator("#fronts .mark").all_text_contents())
    opened.locator("#pick input").fill("0.1")
    opened.locator("#pick button").click()
    assert opened.locator("#pick output").inner_text() == "none within this limit"


def test_a_wide_range_is_drawn_on_a_logarithmic_axis(chromium: Any, tmp_path: Path) -> None:
    values = [(50 + 2 * step, 0.03 * 2**step) for step in range(10)]
    write_search(tmp_path / "run", values)
    main([str(tmp_path), "--html", str(tmp_path / "a.html")])
    view = chromium.new_context().new_page()
    view.goto((tmp_path / "a.html").as_uri())
    assert "latency [ms], logarithmic, lower is better" in view.locator("#fronts svg.chart").text_content()
    points = "[...document.querySelectorAll('#fronts .dot.member')].map((one) => one.getBoundingClientRect().x)"
    places = sorted(view.evaluate(points))
    steps = [after - before for before, after in itertools.pairwise(places)]
    assert max(steps) - min(steps) < 2, "doubled latencies are evenly spaced"
    view.context.close()


def test_members_that_others_of_their_group_beat_are_hollow(opened: Any) -> None:
    assert opened.locator("#fronts .dot.own").count() > 0
    assert (
        "on the front of its own run, but others of its group are better" in opened.locator("#fronts .key").inner_text()
    )


def test_the_original_is_the_baseline_where_it_was_measured(tmp_path: Path) -> None:
    some = compare([search(tmp_path / "some", FIVE, original="ks0120-d0")])
    original, _, picked = known(some, Pick(some.runs[0], 1, ""))
    assert (original.what, original.row) == ("original", 0)
    assert picked.reason == "Against the original: top1 8 points higher, latency 60 % lower."


def test_the_largest_sub_network_is_a_baseline_where_it_was_measured(tmp_path: Path) -> None:
    whole = compare([search(tmp_path / "all", [(86, 5) if value != value else (value, cost) for value, cost in FIVE])])
    assert [one.what for one in known(whole, None)] == ["knee"], (
        "the third has the largest kernel, the fifth is deepest"
    )
    largest, _, picked = known(some := compare([search(tmp_path / "some", FIVE)]), Pick(whole.runs[0], 1, ""))
    assert (largest.what, largest.run, largest.row) == ("largest", some.runs[0], 4)
    assert picked.reason == "Against the largest: top1 2 points lower, latency 50 % lower."


def test_the_keyboard_does_what_the_mouse_does(opened: Any) -> None:
    chart = opened.locator("#fronts svg.chart")
    chart.focus()
    chart.press("ArrowRight")
    first = opened.locator("#fronts .tip").inner_text()
    chart.press("ArrowRight")
    assert opened.locator("#fronts .tip").inner_text() != first
    ticks = "[...document.querySelectorAll('#fronts .tick')].map((tick) => tick.textContent).join()"
    whole = opened.evaluate(ticks)
    chart.press("+")
    assert opened.evaluate(ticks) != whole
    chart.press("Escape")
    assert opened.evaluate(ticks) == whole
    chart.press("End")
    chart.press("Enter")
    assert opened.evaluate("document.activeElement.className") == "marked"
    legend = opened.locator("#legend button").first
    before = opened.locator("#fronts path.dot").count()
    legend.press("Enter")
    assert legend.get_attribute("aria-pressed") == "false"
    assert opened.locator("#fronts path.dot").count() < before


def test_the_table_sorts_by_number(opened: Any) -> None:
    column = "[...document.querySelectorAll('#members tbody tr')].map((row) => Number(row.cells[5].dataset.value))"
    head = opened.locator("#members th button", has_text="latency [ms]")
    head.click()
    rising = opened.evaluate(column)
    assert rising == sorted(rising)
    assert len(set(rising)) > 2
    head.press("Enter")
    assert opened.evaluate(column) == rising[::-1]
    assert opened.locator("#members th[aria-sort=descending]").count() == 1


def test_commands_are_copied(opened: Any) -> None:
    opened.locator("#members button.copy", has_text="export").first.click()
    said = opened.locator("#said")
    said.filter(has_text="copied: dynas export ").wait_for(timeout=5000)
    box = said.bounding_box()
    assert 0 < box["y"] < box["y"] + box["height"] <= 900, "it is seen wherever the page is scrolled to"
    command = said.inner_text().removeprefix("copied: ")
    opened.evaluate("document.body.append(document.createElement('textarea'))")
    opened.locator("body > textarea").focus()
    opened.keyboard.press("Control+V")
    assert opened.locator("body > textarea").input_value() == command


def test_dragging_zooms_and_axes_can_be_chosen(opened: Any) -> None:
    box = opened.locator("#fronts svg.chart").bounding_box()
    ticks = "[...document.querySelectorAll('#fronts .tick')].map((tick) => tick.textContent).join()"
    whole = opened.evaluate(ticks)
    opened.mouse.move(box["x"] + 300, box["y"] + 60)
    opened.mouse.down()
    opened.mouse.move(box["x"] + 600, box["y"] + 200)
    opened.mouse.up()
    assert opened.evaluate(ticks) != whole
    opened.locator("#axis-x").select_option(label="evaluation")
    assert "evaluations" in opened.locator("#fronts svg.chart").text_content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_colour_schemes_and_paper_have_contrast(chromium: Any, page: Path, scheme: str) -> None:
    view = chromium.new_context(color_scheme=scheme).new_page()
    view.goto(page.as_uri())
    colours = "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    ink, paper = ([int(part) for part in re.findall(r"\d+", text)[:3]] for text in view.evaluate(colours))
    assert abs(sum(ink) - sum(paper)) > 500
    assert (sum(paper) > 600) == (scheme == "light")
    view.emulate_media(media="print")
    assert sum(int(part) for part in re.findall(r"\d+", view.evaluate(colours)[1])[:3]) > 600
    assert not view.locator(".copy").first.is_visible()
    view.context.close()


@pytest.mark.parametrize("objectives", [[LATENCY], [TOP1, LATENCY, MACS]], ids=["one", "three"])
def test_other_numbers_of_objectives(chromium: Any, tmp_path: Path, objectives: list[dict[str, Any]]) -> None:
    values = [(90 - step, 3 + step, 1e8 * step) for step in range(1, 6)]
    write_search(tmp_path / "run", [row[: len(objectives)] for row in values], objectives)
    main([str(tmp_path), "--html", str(tmp_path / "a.html")])
    view = chromium.new_context().new_page()
    said: list[str] = []
    view.on("console", lambda message: said.append(message.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.goto((tmp_path / "a.html").as_uri())
    assert view.locator("#fronts path.dot").count() == 5
    assert said == []
    view.context.close()
