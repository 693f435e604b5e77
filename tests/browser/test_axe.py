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
# Whatever there is to be opened: panels of buttons, menus, the guide, a notice, a remark. Dialogs come one by one.
OPEN_EVERYTHING = """async () => {
  document.getElementById("guide-open").click();
  for (const button of document.querySelectorAll('[aria-controls][aria-expanded="false"]')) button.click();
  for (const menu of document.querySelectorAll("details")) menu.open = true;
  const { showNotice, showRemark } = await import("./notices.js");
  showRemark("The file is no JSON. Nothing was changed.");
  showNotice("The server does not answer.", "Is it running?", [{ label: "Try now", act: () => undefined }]);
  return [...document.querySelectorAll("[aria-controls]")].every((each) => each.ariaExpanded === "true");
}"""
SAVE_WORKSPACE = """async () => {
  const { keepWorkspaces } = await import("./kept.js");
  return keepWorkspaces({ "my day": "?speed=5" });
}"""
THEME = "() => document.documentElement.dataset.theme"
CHOOSE_THEME = """(theme) => {
  const list = document.getElementById("theme");
  list.value = theme;
  list.dispatchEvent(new Event("change"));
}"""
# What lies over others hides their colours from the audit: it looks with menus, notice and cards away, and with them.
LAY_OVER = """(open) => {
  for (const menu of document.querySelectorAll("details")) menu.open = open;
  document.getElementById("notice").hidden = !open;
  for (const card of document.querySelectorAll(".card")) card.style.visibility = open ? "" : "hidden";
}"""
DIALOGS = "() => [...document.querySelectorAll('dialog')].map(({ id }) => id)"


def audit(page: Page, what: str) -> None:
    for over in (False, True):
        page.evaluate(LAY_OVER, over)
        found = page.evaluate(AUDIT)
        assert not found, f"{what}, {'with' if over else 'without'} what lies over: {json.dumps(found, indent=1)}"


def open_all(page: Page) -> None:
    """Every panel, with something in each that can hold something."""
    page.keyboard.press(" ")
    page.mouse.move(500, 200)
    expect(page.locator("#readout strong")).to_contain_text("k ")  # a frame is held there by now
    page.keyboard.press("p")
    expect(page.locator(".pinned")).to_have_count(1)
    page.keyboard.press("b")  # one bookmark is to be seen in the panel, and one was taken away
    page.mouse.move(520, 200)
    page.keyboard.press("b")
    page.evaluate(SAVE_WORKSPACE)
    page.keyboard.press("r")
    page.fill("#seek", "noon")
    page.keyboard.press("Enter")
    assert page.evaluate(OPEN_EVERYTHING)
    page.locator("#bookmarks li button").last.click()
    expect(page.locator("#bookmarks li")).to_have_count(1)
    expect(page.locator("#choose-symbols option")).not_to_have_count(0)
    for part in ("remark", "guide", "trust", "bookmarks", "sessions", "notice", "workspace", "behind"):
        expect(page.locator(f"#{part}")).to_be_visible()


def test_nothing_bars_anyone(browser: Browser, server: Server) -> None:
    if not AXE.exists():
        if os.environ.get("VP_REQUIRE_BROWSER") == "1":
            pytest.fail("VP_REQUIRE_BROWSER=1, but axe-core is not installed: npm ci in web/")
        pytest.skip("axe-core is not installed: npm ci in web/")
    with watched_page(browser, color_scheme="dark") as page:
        live(page, server, columns=10)
        assert page.evaluate(THEME) == "dark"  # the system's
        open_all(page)
        page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
        audit(page, "dark")
        page.evaluate(CHOOSE_THEME, "light")
        assert page.evaluate(THEME) == "light"
        audit(page, "light")
        page.evaluate(CHOOSE_THEME, "dark")
        page.emulate_media(forced_colors="active")
        assert page.evaluate("() => matchMedia('(forced-colors: active)').matches")
        audit(page, "forced colours")
        page.emulate_media(forced_colors="none")
        page.set_viewport_size({"width": 390, "height": 844})
        audit(page, "phone")
        for dialog in page.evaluate(DIALOGS):
            page.evaluate("(id) => document.getElementById(id).showModal()", dialog)
            audit(page, dialog)
            page.evaluate(CHOOSE_THEME, "light")
            audit(page, f"{dialog}, light")
            page.emulate_media(forced_colors="active")
            audit(page, f"{dialog}, forced colours")
            page.emulate_media(forced_colors="none")
            page.keyboard.press("Escape")
            assert not page.evaluate("(id) => document.getElementById(id).open", dialog)
