"""What goes wrong on Discord, fault by fault: how each is brought about on the embedded one, a row each."""

from dataclasses import dataclass

from bot.rehearsal.discord.guild import May
from bot.rehearsal.troubles import of_peers, of_permissions, on_crashes, on_requests, on_the_gateway
from bot.rehearsal.troubles.answers import (
    Inject,
    hang,
    late,
    reset,
    status,
    too_many,
    turned_away_by_the_proxy,
)
from bot.rehearsal.troubles.brief import brief_faults
from bot.rehearsal.troubles.of_peers import PATIENT_S
from bot.rehearsal.troubles.on_requests import at_login, sends, sent_but
from bot.rehearsal.troubles.on_the_gateway import QUICKLY_GIVEN_UP, QUICKLY_SILENT, closes, refuses
from bot.rehearsal.troubles.trial import IMPATIENT, QUIET_S, Trial
from bot.shell.discord.lifeline import Limits

__all__ = ["TROUBLES", "Trouble", "brief_faults"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """`inject` brings it about and asks in its midst. `fatal`: the daemon must end, and say this.

    `limits` and `quiet_s` are the daemon's, shortened so that nobody waits for a fault longer than need be.
    """

    name: str
    inject: Inject
    fatal: str = ""
    limits: Limits = IMPATIENT
    quiet_s: float = QUIET_S


TROUBLES = (
    Trouble("nothing at all", Trial.ask),
    Trouble("cable cut", on_the_gateway.cable),
    Trouble("op 7: reconnect", on_the_gateway.op7),
    Trouble("op 9 true: resumable", on_the_gateway.op9_resumable),
    Trouble("op 9 false: session gone", on_the_gateway.op9),
    *(Trouble(f"close {code}", closes(code)) for code in (1000, 1001, 1012, 4000, 4009)),
    Trouble("RESUME refused", refuses()),
    Trouble("IDENTIFY refused ×8 (op 9 loop)", refuses(*[None] * 8)),
    Trouble("close 4004: bad token", refuses(4004), fatal="DISCORD_TOKEN"),
    Trouble("close 4011: sharding required", refuses(4011), fatal="sharded"),
    Trouble("close 4012: API version gone", refuses(4012), fatal="API version"),
    Trouble("close 4013: bad intents", refuses(4013), fatal="intents"),
    Trouble("close 4014: intent not enabled", refuses(4014), fatal="Message Content Intent"),
    Trouble("no ACK and silence (zombie)", on_the_gateway.zombie, limits=QUICKLY_SILENT),
    Trouble("heartbeats unanswered, events flow", on_the_gateway.deaf),
    Trouble("accept, then close ×24 (storm)", on_the_gateway.storm),
    Trouble("malformed event", on_the_gateway.malformed),
    Trouble("unknown event", on_the_gateway.unknown_event),
    Trouble("a handler raises", on_the_gateway.handler_fails),
    Trouble("events delivered twice", on_the_gateway.redelivered),
    Trouble("messages before READY", on_the_gateway.early),
    Trouble("gateway refuses the first connect", on_the_gateway.first_connect),
    Trouble("gateway away after a cut", on_the_gateway.away),
    Trouble("gateway away beyond reason", on_the_gateway.away_too_long, limits=QUICKLY_GIVEN_UP),
    Trouble("REST away at login", at_login(2, status(503))),
    Trouble("REST resets at login", at_login(2, reset)),
    Trouble("history away at READY", on_requests.history_away),
    Trouble("history breaks off between pages", on_requests.history_breaks_off),
    Trouble("5 sends in a second (rate bucket)", on_requests.throttled),
    Trouble("429 with Via", sends(2, too_many())),
    Trouble("429 without Via", sends(2, too_many(via=False))),
    Trouble("429 of the proxy, no JSON", sends(2, turned_away_by_the_proxy)),
    Trouble("429 global", sends(2, too_many(everywhere=True, retry_after_s=1.5))),
    Trouble("429 for longer than a send may take", sends(1, too_many(retry_after_s=60))),
    *(Trouble(f"{code} before the commit ×2", sends(2, status(code))) for code in (500, 502, 504, 524)),
    Trouble("502 after the commit", sent_but(1, status(502))),
    Trouble("503", sends(2, status(503))),
    Trouble("403", sends(1, status(403))),
    Trouble("reset before the commit", sends(2, reset)),
    Trouble("reset after the commit", sent_but(2, reset)),
    Trouble("slow, within the limit", sends(4, late(0.5))),
    Trouble("hang, then commit", sends(1, hang)),
    Trouble("commit, then hang", sent_but(1, hang)),
    Trouble("400: refused for good", on_requests.refused),
    Trouble("picture: the first tries fail", on_requests.picture),
    Trouble("picture: refused for good", on_requests.picture_refused),
    Trouble("mention lost by the server", on_requests.unheard),
    Trouble("attachment not there at first", on_requests.as_a_file),
    Trouble("all of Discord away", on_requests.everything_away),
    Trouble("Discord away for five hours", on_crashes.away_for_hours),
    Trouble("away for 120 messages", on_crashes.away),
    Trouble("killed inside the quiet time", on_crashes.crash_while_quiet),
    Trouble("killed between send and note", on_crashes.crash_after_sending),
    Trouble("killed there, back after the nonce's window", on_crashes.crash_after_sending_and_rest),
    Trouble("SIGTERM in the midst", on_crashes.stopped),
    Trouble("a message finished by an edit", of_peers.finished_by_an_edit, quiet_s=PATIENT_S),
    Trouble("edited while we were away", of_peers.finished_while_away, quiet_s=PATIENT_S),
    Trouble("a message in two parts", of_peers.in_two_parts, quiet_s=PATIENT_S),
    Trouble("an edit that only unfurls a link", of_peers.unfurled),
    Trouble("✅ while we were away", of_peers.marked_while_away),
    Trouble("webhook, forward, system message, stranger", of_peers.impostors),
    Trouble(
        "Read Message History missing at start",
        of_permissions.missing(May.READ_MESSAGE_HISTORY, "read_message_history"),
    ),
    Trouble("Add Reactions missing at start", of_permissions.missing(May.ADD_REACTIONS, "add_reactions")),
    Trouble("Attach Files missing at start", of_permissions.missing(May.ATTACH_FILES, "attach_files")),
    Trouble("Send Messages missing at start", of_permissions.may_not_send),
)
