"""axe-core finds nothing with every panel open: dark, light, and in forced colours."""

from __future__ import annotations

import json
import os

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.probe import live, watched_page
from tests.browser.programs import Server
from tests.places import ROOT

pytestmark = pytest.mark.browser

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
AUDIT = """async () => {
  const { violations } = await axe.run();
  return violations.map(({ id, impact, nodes }) => ({ id, impact, at: nodes.map((node) => node.html) }));
}"""
# Whatever there is to be opened: panels of buttons, menus, the guide, a notice. Dialogs come one by one.
OPEN_EVERYTHING = """async () => {
  document.getElementById("guide-open").click();
  for (const button of document.querySelectorAll('[aria-controls][aria-expanded="false"]')) button.click();
  for (const menu of document.querySelectorAll("details")) menu.open = true;
  const { showNotice } = await import("./notices.js");
  showNotice("The server does not answer.", "Is it running?", [{ label: "Try now", act: () => undefined }]);
  return [...document.querySelectorAll("[aria-controls]")].every((each) => each.ariaExpanded === "true");
}"""
DIALOGS = "() => [...document.querySelectorAll('dialog')].map(({ id }) => id)"


def audit(page: Page, what: str) -> None:
    found = page.evaluate(AUDIT)
    assert not found, f"{what}: {json.dumps(found, indent=1)}"


@pytest.mark.parametrize(
    "look",
    [
        pytest.param({"color_scheme": "dark"}, id="dark"),
        pytest.param({"color_scheme": "light"}, id="light"),
        pytest.param({"color_scheme": "dark", "forced_colors": "active"}, id="forced colours"),
    ],
)
def test_nothing_bars_anyone(browser: Browser, server: Server, look: dict[str, str]) -> None:
    if not AXE.exists():
        if os.environ.get("VP_REQUIRE_BROWSER") == "1":
            pytest.fail("VP_REQUIRE_BROWSER=1, but axe-core is not installed: npm ci in web/")
        pytest.skip("axe-core is not installed: npm ci in web/")
    with watched_page(browser, **look) as page:
        live(page, server, columns=10)
        page.keyboard.press(" ")
        page.mouse.move(500, 200)
        expect(page.locator("#readout strong")).to_contain_text("k ")  # a frame is held there by now
        page.keyboard.press("p")
        expect(page.locator(".pinned")).to_have_count(1)
        assert page.evaluate("() => document.documentElement.dataset.theme") == look["color_scheme"]
        page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
        assert page.evaluate(OPEN_EVERYTHING)
        audit(page, "every panel")
        for dialog in page.evaluate(DIALOGS):
            page.evaluate("(id) => document.getElementById(id).showModal()", dialog)
            audit(page, dialog)
            page.keyboard.press("Escape")
            assert not page.evaluate("(id) => document.getElementById(id).open", dialog)
