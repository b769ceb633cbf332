"""The public report in Chromium: it fits, can be read in light and dark, prints whole, and gives its data."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner
from wildgate_service.cli.report import command

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium"),
    pytest.mark.filterwarnings("default"),
]

# The WCAG 2 contrast of an element's text to the first painted background behind it.
CONTRAST = """element => {
  const rgb = color => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map(part => part / 255).map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [.2126, .7152, .0722][place], 0);
  let behind = element;
  while (behind && (rgb(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
  const style = getComputedStyle(element);
  const text = luminance(rgb(element instanceof SVGElement ? style.fill : style.color));
  const ground = luminance(rgb(getComputedStyle(behind ?? document.body).backgroundColor));
  return (Math.max(text, ground) + .05) / (Math.min(text, ground) + .05);
}"""
WITH_TEXT = """() => [...document.querySelectorAll('body *')].filter(element =>
  [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()) && element.getClientRects().length
  && getComputedStyle(element).clipPath === 'none')"""


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, headless."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra `browser`")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def file(year_url, tmp_path_factory):
    """The page of a year, its data beside it."""
    output = tmp_path_factory.mktemp("report")
    arguments = ["--from", "2026-01-01", "--to", "2026-12-31", "--store", year_url, "--output", str(output)]
    assert CliRunner().invoke(command, arguments).exit_code == 0
    return output / "wildgate-report-2026-01-01-2026-12-31.html"


@pytest.fixture
def show(browser, file):
    """Opens the page at a width, in a scheme of colors; what went wrong is kept."""
    contexts = []

    def open_page(width=1280, scheme="light"):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.problems = []
        page.on("console", lambda message: page.problems.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("request", lambda request: page.problems.append(request.url) if not request.url.startswith("file:") else None)
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_the_page_fits(show, width):
    """From the smallest phone: nothing is wider than the window, all open."""
    page = show(width)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_can_be_read(show, width, scheme):
    """All text, that of charts too, has a contrast of 4.5 to what is behind it."""
    page = show(width, scheme)
    faint = page.evaluate(f"() => ({WITH_TEXT})().map(each => [({CONTRAST})(each), each.textContent]).filter(([ratio]) => ratio < 4.5)")
    assert faint == []


def test_light_and_dark_differ(show):
    """The page follows what the reader's system asks for."""
    grounds = {show(scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor") for scheme in ("light", "dark")}
    assert len(grounds) == 2


@pytest.mark.parametrize(("width", "shown"), [(375, "for-narrow"), (1280, "for-wide")])
def test_each_width_has_its_charts(show, width, shown):
    """The other ones are not there for anybody."""
    drawn = show(width).evaluate(
        "[...document.querySelectorAll('figure > div')].filter(each => each.getClientRects().length).map(each => each.className)"
    )
    assert (set(drawn), len(drawn)) == ({shown}, 3)


def test_charts_have_columns_as_high_as_their_numbers(show):
    """The highest column of the timeline is the month with the most."""
    page = show()
    heights = page.evaluate("[...document.querySelectorAll('.for-wide')][0].querySelectorAll('path[style*=\"--refused\"]').length")
    assert heights == 12


def test_the_keyboard_reaches_the_figures(show):
    """First the way past the header, then the sections."""
    page = show()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the figures"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('nav') !== null")


def test_the_page_prints_whole(show, tmp_path):
    """On A4: folded tables are open, and nothing runs over the edge."""
    page = show()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 1000})  # A4 less its margins, in CSS pixels
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    assert page.evaluate("document.querySelector('details table').getBoundingClientRect().height") > 0
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    assert (tmp_path / "report.pdf").stat().st_size > 20_000


def test_the_data_in_the_page_is_the_data_beside_it(show, file):
    """A click saves it, offline."""
    page = show()
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON", exact=True).click()
    saved = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert saved == json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    assert page.problems == [] or page.problems[0].startswith("data:")
