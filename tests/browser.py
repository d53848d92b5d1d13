"""A headless Chromium for tests of pages: no network, a fresh profile."""

import html
import json
import re
import shutil
import subprocess

import pytest

_FLAGS = ('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
          '--no-first-run', '--disable-background-networking',
          '--disable-component-update', '--disable-sync',
          '--virtual-time-budget=4000')
_FRAME = """<script>
const told = {};
addEventListener('load', () => {
  try { %s } catch (error) { told.error = String(error); }
  document.documentElement.dataset.told = JSON.stringify(told);
});
</script>"""


def find_chromium():
    """Path of a Chromium; skips without one."""
    for name in ('chromium', 'chromium-browser', 'google-chrome', 'chrome'):
        if shutil.which(name):
            return shutil.which(name)
    pytest.skip('no Chromium on this machine')


def run_in_page(page, script, tmp_path, *, size=(1280, 2000)):
    """Load a page, run a script in it, return what it wrote into ``told``.

    Args:
        page (Path): HTML file.
        script (str): JavaScript, run once the page has loaded.
        tmp_path (Path): For a copy and the browser's profile.
        size (tuple): Of the window, in pixels.

    Returns:
        dict: What the script told; ``error`` if it failed.
    """
    chromium = find_chromium()
    copy = tmp_path / 'in_browser.html'
    copy.write_text(page.read_text('utf-8').replace(
        '</body>', _FRAME % script + '</body>'), 'utf-8')
    try:
        done = subprocess.run(
            [chromium, *_FLAGS, f'--user-data-dir={tmp_path / "profile"}',
             f'--window-size={size[0]},{size[1]}', '--dump-dom',
             copy.as_uri()], capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip('Chromium did not start within a minute')
    found = re.search(r'data-told="([^"]*)"', done.stdout.decode('utf-8'))
    if found is None:
        pytest.skip(f'Chromium does not run here (status {done.returncode})')
    return json.loads(html.unescape(found[1]))
