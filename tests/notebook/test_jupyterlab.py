"""JupyterLab in a headless Chromium, light and dark, runs notebook 05; the test looks at its cells as a reader does.

Skipped if JupyterLab, selenium, Chromium or its driver is missing (extra `browser`; Debian: chromium,
chromium-driver). `KIMI_PICTURES=notebooks` saves pictures of the live cell (`live.png`, `live-dark.png`), and beside
them, with `KIMI_PICTURES_ALL=1`, one of the whole page.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.conftest import MakeAnswering
from tests.wcag import AA, colour, contrast, over

ABSENT = [name for name in ("jupyterlab", "selenium") if find_spec(name) is None] + [
    name for name in ("chromium", "chromedriver") if shutil.which(name) is None
]
pytestmark = [
    pytest.mark.skipif(bool(ABSENT), reason=f"NO BROWSER TEST: {', '.join(ABSENT)} missing"),
    pytest.mark.filterwarnings("default"),
]

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "05_when_things_break.ipynb"
PICTURES = os.environ.get("KIMI_PICTURES")
ALL_CELLS = os.environ.get("KIMI_PICTURES_ALL")
THEMES = {"light": ("JupyterLab Light", "live.png"), "dark": ("JupyterLab Dark", "live-dark.png")}
TIMEOUT = 90
"""Seconds for each step."""

HOSTILE = """
from kimi_openai import Reply
text = '''<script>window.hacked = 1</script> <img src="URL/a" onerror="window.hacked = 2"> ![b](URL/b)
[c](javascript:window.hacked=3) $x^2$ $\\\\href{javascript:window.hacked=4}{y}$ <iframe src="URL/d"></iframe>
$\\\\bbox[background:url(URL/f)]{z}$ $\\\\fcolorbox{red;background:url(URL/g)}{white}{z}$

<style>body { background: url(URL/e) }</style> <svg onload="window.hacked = 5"></svg> THE END'''
show(Reply(content=text, reasoning=text, tool_calls=({"function": {"name": text, "arguments": text}},)))
"""


ANSWER = '''
%load_ext kimi_openai
from kimi_openai.emulator import call
text = """### Code
```python
@cache
def prime(n: int) -> bool:
    # naive, and slow
    return n > 1 and all(n % k for k in range(2, n)), f"{n!r}\\\\n"
```
- [x] written
- [ ] tested

$$
\\\\sum_{k=1}^n k
+ 1 = \\\\frac{n(n+1)}{2} + 1
$$

A `word`, [a link](https://example.com).
"""
kimi.reply = lambda _: [think("It is simple."), say(text), call("save", {"path": "prime.py", "text": "a line " * 30})]
client.chat.completions.create(model="kimi-k3", messages=messages)
'''

TEXTS = """
const shown = []
for (const root of document.querySelectorAll('.jp-OutputArea-output.jp-RenderedHTML')) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const own = node.parentElement
    if (!node.textContent.trim() || own.closest('mjx-container, a, script, style')) continue
    const grounds = []
    let opacity = 1
    for (let each = own; each; each = each.parentElement) {
      const style = getComputedStyle(each)
      grounds.push(style.backgroundColor)
      opacity *= Number(style.opacity)
    }
    shown.push([node.textContent.trim(), getComputedStyle(own).color, opacity, grounds])
  }
}
return shown
"""
"""Every text of our outputs with its computed colour, and the grounds below it. Links have the theme's own colour."""


class Lab:
    """A page of JupyterLab, and the server behind it."""

    def __init__(self, folder: Path, driver: Any, port: int, theme: str) -> None:
        self.folder, self.driver, self.port, self.theme = folder, driver, port, theme

    def open(self, name: str) -> None:
        """Open a notebook and run all of it."""
        self.driver.get(f"http://127.0.0.1:{self.port}/lab/tree/{name}?reset")
        self.until("return Boolean(window.jupyterapp && document.querySelector('.jp-Notebook .jp-CodeCell'))")
        kernel = "const p = window.jupyterapp.shell.currentWidget; return p?.sessionContext?.session?.kernel?.status"
        self.until(f"{kernel} === 'idle'")
        self.driver.execute_script("window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def until(self, condition: str) -> Any:
        """Wait until a script returns something true; returns it."""
        for _ in range(TIMEOUT * 20):
            found = self.driver.execute_script(condition)
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"not within {TIMEOUT} s: {condition}\n{self.text()}")

    def text(self) -> str:
        """All text on the page."""
        return str(self.driver.execute_script("return document.body.innerText"))


@pytest.fixture(params=THEMES)
def lab(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """JupyterLab without an open notebook; its settings and runtime files are in a temporary folder."""
    from selenium import webdriver

    for name, values in {
        "notebook-extension/tracker": {"windowingMode": "none"},
        "apputils-extension/themes": {"theme": THEMES[request.param][0]},
    }.items():
        settings = tmp_path / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(values))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {name: str(tmp_path / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    paths = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH")) if part)
    options = {
        "ServerApp.port": port,
        "ServerApp.root_dir": tmp_path,
        "IdentityProvider.token": "",
        "LabApp.expose_app_in_browser": True,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.news_url": "None",
        "LabApp.user_settings_dir": tmp_path / "settings",
        "LabApp.workspaces_dir": tmp_path / "workspaces",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    log = (tmp_path / "server.log").open("wb")
    server = subprocess.Popen(
        [*command, *(f"--{name}={value}" for name, value in options.items())],
        env={**os.environ, **own, "PYTHONPATH": paths, "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces")},
        stdout=subprocess.DEVNULL,
        stderr=log,
    )
    chrome = webdriver.ChromeOptions()
    chrome.binary_location = str(shutil.which("chromium"))
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        chrome.add_argument(argument)
    chrome.add_argument("--window-size=1000,1600")
    chrome.add_argument("--force-device-scale-factor=2")
    driver = webdriver.Chrome(chrome, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        _wait_for(port, server, tmp_path / "server.log")
        yield Lab(tmp_path, driver, port, request.param)
    finally:
        driver.quit()
        server.terminate()
        server.wait(20)
        log.close()


def _wait_for(port: int, server: Any, log: Path) -> None:
    for _ in range(TIMEOUT * 5):
        if server.poll() is not None:
            break
        try:
            with urlopen(f"http://127.0.0.1:{port}/api", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text()[-2000:])


LIVE = """
const cells = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')]
const cell = cells.find(each => each.innerText.includes('answer = live('))
const shown = cell?.querySelector('.jp-OutputArea-output')
if (!shown) return null
return {text: shown.innerText, open: Boolean(shown.querySelector('details[open]')),
        outputs: cell.querySelectorAll('.jp-OutputArea-child').length}
"""


def test_a_reader_sees_the_answer_arrive_and_resume(lab: Lab, answering: MakeAnswering) -> None:
    """One output: thinking, broken, resumed, whole. Nothing in an answer runs or fetches anything."""
    from selenium.webdriver.common.by import By

    trap = answering(200, b"")
    notebook = json.loads(NOTEBOOK.read_text())
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    for name, code in {"answer": ANSWER, "hostile": HOSTILE.replace("URL", trap.base_url)}.items():
        cell = {"cell_type": "code", "id": name, "metadata": {}, "outputs": [], "execution_count": None}
        notebook["cells"].append({**cell, "source": code})
    (lab.folder / NOTEBOOK.name).write_text(json.dumps(notebook))

    lab.open(NOTEBOOK.name)
    seen: list[dict[str, Any]] = []
    end = time.monotonic() + TIMEOUT
    while not (seen and "broke off twice" in seen[-1]["text"]):
        assert time.monotonic() < end, lab.text()
        found = lab.until(LIVE)
        if found not in seen:
            seen.append(found)
        assert "Traceback" not in lab.text()
    assert {each["outputs"] for each in seen} == {1}
    assert any(each["open"] and "Thinking…" in each["text"] for each in seen)
    assert len(seen) > 4  # more on a machine with nothing else to do
    assert not seen[-1]["open"]
    lab.until("return document.body.innerText.includes('THE END') && document.querySelector('.jp-OutputArea img')")
    time.sleep(0.5)  # so that something that must not happen could happen

    cell = next(
        each for each in lab.driver.find_elements(By.CSS_SELECTOR, ".jp-CodeCell") if "answer = live(" in each.text
    )
    assert [each.text for each in cell.find_elements(By.CSS_SELECTOR, ".jp-OutputArea td")][:1] == ["while thinking"]
    assert lab.driver.execute_script("return window.hacked") is None
    assert trap.requests == []
    formulas = lab.driver.execute_script("return [...document.querySelectorAll('.jp-OutputArea mjx-container')].length")
    assert formulas == 2
    assert {text: ratio for text, ratio in contrasts(lab).items() if ratio < AA} == {}
    if PICTURES:
        picture(lab, cell, ROOT / PICTURES / THEMES[lab.theme][1])


def contrasts(lab: Lab) -> dict[str, float]:
    """Each text of the outputs with its contrast, as the browser computes the colours."""
    lab.driver.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    found: dict[str, float] = {}
    for text, css, opacity, grounds in lab.driver.execute_script(TEXTS):
        ground = colour("#fff")
        for each in reversed(grounds):
            ground = over(colour(each), ground)
        shown = colour(css)
        found[text] = contrast(over((*shown[:3], shown[3] * opacity), ground), ground)
    assert len(found) > 50
    return found


def picture(lab: Lab, cell: Any, path: Path) -> None:
    """The cell with its reasoning unfolded, as a file; and all cells, if that is wanted."""
    cells = {path: cell}
    if ALL_CELLS:
        others = lab.driver.find_elements("css selector", ".jp-CodeCell")
        cells |= {path.with_name(f"{path.stem}-{number}.png"): each for number, each in enumerate(others)}
    for name, each in cells.items():
        lab.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", each)
        time.sleep(0.5)
        each.screenshot(str(name))
