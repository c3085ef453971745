"""The gallery: the rehearsal in a browser, and a place to call out from (`training-claw rehearse --web`)."""

from bot.rehearsal.gallery.server import Gallery

__all__ = ["Gallery"]
