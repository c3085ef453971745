"""The webhook through which people hear that the daemon stays down: a secret in a file of its own."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

CREDENTIAL = "alarm_webhook"
DISCORD = ("discord.com", "discordapp.com")


class Unsent(Exception):
    """Nobody was told. One line."""


def webhook(environ: Mapping[str, str]) -> str:
    """Raises Unsent: there is none, or it is not Discord's."""
    path = Path(environ.get("CREDENTIALS_DIRECTORY", ".")) / CREDENTIAL
    try:
        url = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Unsent(f"{path} cannot be read ({error.strerror}); write the webhook's URL into it") from None
    parts = urlsplit(url)
    if (parts.scheme, parts.hostname) in {("https", host) for host in DISCORD}:
        return url
    if (parts.scheme, parts.hostname) == ("http", "127.0.0.1"):
        return url
    raise Unsent(
        f"{path} does not hold the URL of a Discord webhook; write it there"
    )  # the URL itself is a secret
