"""A real browser with the network off."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass
class Opened:
    """An opened page: what it asked for beyond its file, what went wrong."""

    page: Any
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(self, path: Path) -> Any:
        """Open a file, every other request refused and noted, and wait until the map is drawn."""
        wanted = path.resolve().as_uri()

        def route(call: Any) -> None:
            if call.request.url == wanted:
                call.continue_()
            else:
                self.requests.append(call.request.url)
                call.abort()

        self.page.route("**/*", route)
        self.page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.page.on("console", lambda line: self.faults.extend([line.text] if line.type == "error" else []))
        self.page.goto(wanted)
        self._wait_until_drawn()
        return self.page

    def _wait_until_drawn(self) -> None:
        """Ask again and again: `wait_for_function` polls with eval, which the page's own policy forbids."""
        for _ in range(400):
            if self.page.evaluate("window.__citygeo_ready === true"):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"the map was not drawn within 20 s: {self.faults}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium; tests that need it are skipped where none is installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        # CI must not pass by leaving these out
        missing = pytest.fail if os.environ.get("CITYGEO_REQUIRE_BROWSER") else pytest.skip
        missing("no Chromium is installed: apt-get install chromium")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any) -> Iterator[Opened]:
    """A page of 1280 by 800."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield Opened(context.new_page())
    context.close()


@pytest.fixture
def opened_narrow(chromium: Any) -> Iterator[Opened]:
    """A page as wide as a small telephone."""
    context = chromium.new_context(viewport={"width": 360, "height": 640}, has_touch=True)
    yield Opened(context.new_page())
    context.close()
