"""The page in a real browser without a window: what a reader sees, clicks, types and searches."""

import shutil

import pytest

from osmia.cli.main import main

webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium")
CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium and chromedriver")

PROGRAMS = {
    "good": "r0 = *(u32 *)(r1 + 12)\nif r0 > 5 goto +2\n*(u64 *)(r10 - 8) = r0\nr0 = *(u64 *)(r10 - 8)\nr0 &= 1\nexit",
    "bad": "r0 = *(u32 *)(r1 + 12)\nr6 = 7\nif r0 == 0 goto +1\nr0 = r5\nexit",
}
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1400,900",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*QUIET, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The page that ``osmia verify --html`` writes for two programs."""
    from osmia.asm import llvm
    from osmia.isa import encode

    at = tmp_path_factory.mktemp("page")
    rows = (
        f'{{"name": "{name}", "prog_type": "xdp", "insns_hex": "{encode(llvm.parse(text)).hex()}"}}\n'
        for name, text in PROGRAMS.items()
    )
    (at / "two.jsonl").write_text("".join(rows))
    assert main(["verify", "--html", str(at / "page.html"), str(at / "two.jsonl")]) == 1
    return at / "page.html"


@pytest.fixture
def page(browser, file):
    browser.get("about:blank")
    browser.get(file.as_uri())
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def texts(page, selector):
    return [element.text for element in page.find_elements("css selector", selector)]


def one(page, selector):
    return page.find_element("css selector", selector)


def press(page, *keys):
    one(page, "body").send_keys(*keys)


def test_it_opens_at_the_error(page):
    assert page.title == "bad (xdp) on Linux 6.18"
    verdict = one(page, "#verdict")
    assert "rejected with EACCES" in verdict.text and "refused" in verdict.get_attribute("class")
    assert texts(page, "#insns .row.now") == ["3(bf) r0 = r5"]
    assert "error" in one(page, "#insns .row.now").get_attribute("class")
    assert "R6 7" in texts(page, "#state tbody tr")


def test_it_says_why(page):
    assert "nothing was written to it on this path" in one(page, "#why pre").text


def test_steps_by_key_button_and_slider(page):
    last = one(page, "#where output").text
    press(page, "\ue012")  # left
    before = one(page, "#where output").text
    assert before != last and "before instruction 2" in before
    one(page, "#on").click()
    assert one(page, "#where output").text == last
    page.execute_script("const s = document.getElementById('slider'); s.value = 0; s.dispatchEvent(new Event('input'))")
    assert "before instruction 0" in one(page, "#where output").text
    assert texts(page, "#state tbody tr") == ["R1 ctx()", "R10 fp0"]


def test_what_changed_is_marked(page):
    press(page, "\ue012")
    assert texts(page, "#state tr.changed") == ["R6 7"]


def test_search(page):
    press(page, "/")
    box = one(page, "#search")
    assert page.switch_to.active_element == box
    box.send_keys("r6 = 7")
    assert texts(page, "#insns .row.hit") == ["1(b7) r6 = 7"] and one(page, "#hits").text == "1 found"
    box.send_keys("\ue007")  # enter
    assert "before instruction 1" in one(page, "#where output").text and one(page, "#hits").text == "1 of 1"


def test_search_in_states(page):
    one(page, "#search").send_keys("ctx()")
    assert one(page, "#hits").text == "1 found"


def test_the_other_program_and_its_paths(page):
    one(page, "#program option[value='0']").click()
    assert page.title == "good (xdp) on Linux 6.18" and one(page, "#verdict").text.startswith("accepted")
    assert [text.split(maxsplit=2)[:2] for text in texts(page, "#paths li")] == [["path", "0"], ["path", "1"]]
    page.find_elements("css selector", "#paths li")[1].click()
    assert "path 1, step 4 of 4, before instruction 5" in one(page, "#where output").text
    one(page, "#insns .row[data-key='2']").click()  # only path 0 comes there
    assert "path 0, step 3 of 6" in one(page, "#where output").text


def test_a_place_is_kept_in_the_address(page):
    press(page, "\ue012")
    place = one(page, "#where output").text
    page.refresh()
    assert one(page, "#where output").text == place
