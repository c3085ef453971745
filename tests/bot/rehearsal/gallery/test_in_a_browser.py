"""The page as a person meets it: a real browser, a real daemon, the keyboard."""

import re
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.rehearsal.discord.guild import File
from bot.rehearsal.gallery import Gallery
from bot.rehearsal.stage import FAST, Stage
from bot.rehearsal.troubles.trial import ROSTER, Trial, trial

CHROMIUM = shutil.which("chromium")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 860}
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cfc0f01f0005050202"
    "5fc8f1d20000000049454e44ae426082"
)
"""A PNG of one pixel."""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on PATH; where apt is at hand, deploy/get-chromium installs it"
)


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def visit(browser: Browser, gallery: Gallery, viewport: dict[str, int], locale: str = "en-US") -> Page:
    context = await browser.new_context(viewport=viewport, locale=locale)  # pyright: ignore[reportArgumentType]
    page = await context.new_page()
    await page.goto(gallery.url)
    await expect(page.locator("#link")).to_contain_text("●")
    return page


async def test_one_learns_the_protocol_by_playing(tmp_path: Path, browser: Browser) -> None:
    async with trial(tmp_path) as one, Gallery(one.server, Stage(tmp_path, FAST)) as gallery:
        page = await visit(browser, gallery, DESK)
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        await an_operator_asks(page)
        await a_watcher_forgets_the_mention(page)
        await a_watcher_is_heard(page)
        await who_is_not_listened_to_is_told_why(page)
        await a_handoff_names_the_right_number(page)
        await the_way_by_tab_is_short(page)
        await nothing_said_is_markup(page, one)
        await a_picture_is_shown(page, one)
        await a_note_about_the_play_stands_between(page, gallery)
        assert broken == []


async def an_operator_asks(page: Page) -> None:
    await page.locator("#speaker").select_option("operator")
    await page.keyboard.press("/")
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.type("!status")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message", has_text="대기 중").last).to_contain_text("@operator")


async def a_watcher_forgets_the_mention(page: Page) -> None:
    await page.locator("#speaker").select_option("Watcher")
    await page.get_by_role("button", name="without a mention").click()
    await page.keyboard.press("Enter")
    await expect(page.locator(".message").last).to_contain_text("does not exist for Training")


async def a_watcher_is_heard(page: Page) -> None:
    """What went unheard is said again, with the mention."""
    await page.locator(".unheard").last.get_by_role("button").click()
    await expect(page.locator("#text")).to_have_value(f"<@{ROSTER.training}> 지금 몇 epoch이야?")
    await page.keyboard.press("Enter")
    answer = page.locator(".message", has_text="[ANSWER]").last
    await expect(answer).to_contain_text("@Watcher")
    await expect(answer).to_contain_text("The answer to what was asked")


async def who_is_not_listened_to_is_told_why(page: Page) -> None:
    for speaker, why in (("Watcher", "choose operator"), ("stranger", "to nobody else")):
        await page.locator("#speaker").select_option(speaker)
        await page.locator("#text").fill("!status")
        await page.keyboard.press("Enter")
        await expect(page.locator(".message", has_text=why).last).to_contain_text(speaker)


async def a_handoff_names_the_right_number(page: Page) -> None:
    await page.locator("#speaker").select_option("Developer")
    await page.get_by_role("button", name="HANDOFF").click()
    await expect(page.locator("#text")).to_have_value(re.compile(f"에피소드 수: {FAST.episodes}개"))
    await page.locator("#text").fill("")


async def the_way_by_tab_is_short(page: Page) -> None:
    reached = await page.evaluate(
        "[...document.querySelectorAll('.tools button')].filter(b => b.tabIndex >= 0).length"
    )
    assert 0 < reached <= 9


async def nothing_said_is_markup(page: Page, one: Trial) -> None:
    await one.server.say(ROSTER.developer, "<img src=x onerror=alert(1)> `<b>`")
    said = page.locator(".message", has_text="onerror").last
    await expect(said).to_contain_text("<img src=x onerror=alert(1)> <b>")
    assert await said.locator("img").count() == 0


async def a_picture_is_shown(page: Page, one: Trial) -> None:
    await one.server.say(ROSTER.developer, "", attachments=(File("curve.png", DOT),))
    picture = page.get_by_alt_text("curve.png")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("picture => picture.naturalWidth") == 1


async def a_note_about_the_play_stands_between(page: Page, gallery: Gallery) -> None:
    gallery.note("The daemon was killed (SIGKILL).", "데몬이 강제 종료되었습니다.")
    await expect(page.locator(".note").last).to_have_text("The daemon was killed (SIGKILL).")
    await expect(page.locator("#zone")).to_have_text("clocks: KST")


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
async def test_it_fits_a_phone(tmp_path: Path, browser: Browser, locale: str) -> None:
    async with trial(tmp_path) as one, Gallery(one.server, Stage(tmp_path, FAST)) as gallery:
        await one.server.say(ROSTER.watcher, "길" * 400 + " " + "x" * 400)
        page = await visit(browser, gallery, PHONE, locale)
        await expect(page.locator(".message").last).to_contain_text("xxx")
        assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        assert await page.evaluate("document.documentElement.lang") == locale[:2]
