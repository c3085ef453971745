"""Take the README's picture of a real rehearsal: `python docs/picture.py`. Needs chromium and a Korean font.

On Debian: apt-get install chromium fonts-nanum fonts-noto-color-emoji. Plays for a few minutes, then writes
docs/rehearsal.png.
"""

import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Error, Page, expect, sync_playwright

PICTURE = Path(__file__).with_name("rehearsal.png")
NEEDED = "chromium fonts-nanum fonts-noto-color-emoji"
VIEW = {"width": 1240, "height": 800}
SECONDS_TO_OPEN = 60
WHOLE_PLAY_MS = 1_200_000


def main() -> None:
    _require()
    port = _free_port()
    ours = Path(sys.executable).with_name("training-claw")
    command = [ours, "rehearse", "--web", "--port", str(port), *sys.argv[1:]]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as play:
        try:
            _take(f"http://127.0.0.1:{port}/")
        finally:
            play.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _require() -> None:
    fonts = subprocess.run(["fc-list", ":lang=ko"], capture_output=True, text=True, check=False)  # noqa: S607
    if shutil.which("chromium") is None or not fonts.stdout:
        sys.exit(f"docs/picture.py: chromium or a Korean font is missing: apt-get install {NEEDED}")


def _take(address: str) -> None:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEW, locale="en-US", color_scheme="light")  # pyright: ignore[reportArgumentType]
        _go(page, address)
        try:
            expect(page.locator("#ending")).to_be_visible(timeout=WHOLE_PLAY_MS)
        except AssertionError:
            sys.exit("docs/picture.py: the play did not come to its end; is the machine busy?")
        _show_the_end_of_learning(page)
        page.screenshot(path=PICTURE)
        browser.close()
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB")


def _go(page: Page, address: str) -> None:
    """Opens the page as soon as it is there."""
    for _ in range(SECONDS_TO_OPEN):
        with suppress(Error):
            page.goto(address)
            return
        page.wait_for_timeout(1000)
    sys.exit("docs/picture.py: the rehearsal opens no page; run `training-claw rehearse --web` to see why")


def _show_the_end_of_learning(page: Page) -> None:
    done = page.locator(".message", has_text="[DONE]").last
    done.evaluate("message => message.scrollIntoView({ block: 'start' })")
    page.locator("aside").evaluate("aside => aside.scrollTo(0, 0)")


if __name__ == "__main__":
    main()
