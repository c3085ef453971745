"""What must hold on a machine with systemd: one small play a case, each going on where the last one ended.

A case answers what was seen; `Wrong` says what was seen instead.
"""

import json
from collections.abc import Awaitable, Callable

import aiohttp

from benches.systemd.ground import METADATA, METRICS_PORT, WATCHDOG_S
from benches.systemd.world import DAEMON, ROSTER, TRAINER, World, expect
from bot.rehearsal.cast import OPERATOR_ID
from bot.rehearsal.players import script
from bot.shell.doctor import sandbox
from protocol.job import Failed, read_outcome
from protocol.progress import Started

type Case = Callable[[World], Awaitable[str]]

PATH = "training-claw-trainer.path"
PROGRAM = "/opt/training-claw/.venv/bin/training-claw"
PYTHON = "/opt/training-claw/.venv/bin/python"
TOKEN = "/etc/training-claw/discord_token"  # noqa: S105  its place
SNOOP = """
import json, socket, sys, urllib.request
from pathlib import Path

daemon, port, url = sys.argv[1:]

def tried(what):
    try:
        return str(what())[:60]
    except Exception as error:
        return "no: " + type(error).__name__

print(json.dumps({
    "token": tried(Path("/etc/training-claw/discord_token").read_text),
    "credential": tried(Path("/run/credentials/training-claw.service/discord_token").read_text),
    "settings": tried(Path("/etc/training-claw/training-claw.env").read_text),
    "database": tried(Path("/var/lib/training-claw/training-claw.sqlite3").read_bytes),
    "environment of the daemon": tried(Path(f"/proc/{daemon}/environ").read_bytes),
    "memory of the daemon": tried(lambda: Path(f"/proc/{daemon}/mem").open("rb").close()),
    "metadata": tried(lambda: urllib.request.urlopen(url, timeout=3).read()),
    "loopback of the machine": tried(lambda: socket.create_connection(("127.0.0.1", int(port)), 3)),
    "code": tried(Path("/opt/training-claw/bot/cli.py").touch),
}))
"""


async def starts(world: World) -> str:
    """systemctl enable --now: READY, a status line, an answer in the channel"""
    await world.machine.ask("systemctl", "enable", "--now", PATH, DAEMON)
    await world.is_(DAEMON, "active")
    told = await world.machine.show(DAEMON, "StatusText")
    expect("대기 중" in told, f"Status: {told!r}")
    expect("대기 중" in await world.status(), "no answer to !status")
    return f"Status: {told}"


async def trains(world: World) -> str:
    """a HANDOFF ends in a training, in the trainer's unit and nowhere else"""
    facts = world.ground.stage.facts
    await world.discord.say(ROSTER.developer, script.developers_handoff(ROSTER, facts))
    await world.discord.say(ROSTER.watcher, script.watchers_handoff(ROSTER, facts).partition("\n레슨런")[0])
    pid = await world.trains()
    holder = json.loads(world.attempts()[-1].lock.read_text())["pid"]
    expect(holder == pid, f"the lock names {holder}, the unit runs {pid}")
    groups = await world.machine.ask("cat", f"/proc/{pid}/cgroup")
    expect(f"/{TRAINER}" in groups and f"/{DAEMON}" not in groups, groups)
    expect(not world.attempts()[-1].request.exists(), "the request is still there")
    await world.until(
        lambda: world.machine.show(DAEMON, "StatusText"), lambda one: "학습 중" in one, "Status"
    )
    return f"attempt {len(world.attempts())}, pid {pid}, in the cgroup of {TRAINER}"


async def keeps_to_itself(world: World) -> str:
    """in the trainer's sandbox: no token, no database, no metadata server, no look at the daemon"""
    port = world.discord.api_base.rpartition(":")[2].partition("/")[0]
    url = f"http://{METADATA}/computeMetadata/v1/"
    snoop = (PYTHON, "-c", SNOOP, str(await world.main_pid(DAEMON)), port, url)
    outside = json.loads(await world.machine.ask(*snoop))
    told = await world.machine.ask("systemctl", "cat", TRAINER)
    inside = json.loads(await world.machine.ask(*sandbox.within(told, snoop)))
    vain = [what for what, seen in outside.items() if seen.startswith("no: ")]
    expect(not vain, f"not even root could: {vain}; this proves nothing")
    leaks = {what: seen for what, seen in inside.items() if not seen.startswith("no: ")}
    expect(not leaks, f"{leaks}")
    pid = await world.main_pid(TRAINER)
    environ = await world.machine.ask("cat", f"/proc/{pid}/environ")
    expect("rehearsal." not in environ and "DISCORD" not in environ, "the token is in its environment")
    links = await world.machine.ask("sh", "-c", f"nsenter -t {pid} -n ip -o link || cat /proc/{pid}/net/dev")
    expect("eth" not in links, links)
    return "refused: " + ", ".join(inside)


async def outlives_the_daemon(world: World) -> str:
    """kill -9 of the daemon in mid-training: it is back, the trainer never noticed and is taken up again"""
    trainer, daemon, restarts = await _who(world)
    await world.machine.ask("systemctl", "kill", "--signal=KILL", "--kill-who=main", DAEMON)
    await _is_back(world, daemon)
    expect(await world.main_pid(TRAINER) == trainer, "the trainer is another")
    expect("학습" in await world.status(), "no training in !status")
    await world.steps_beyond(world.newest_step())
    return f"restarts {restarts} → {await world.restarts()}, trainer {trainer} goes on"


async def restarts(world: World) -> str:
    """systemctl restart touches the daemon alone"""
    trainer, daemon, _ = await _who(world)
    await world.machine.ask("systemctl", "restart", DAEMON)
    await _is_back(world, daemon)
    expect(await world.main_pid(TRAINER) == trainer, "the trainer is another")
    return f"daemon {daemon} → {await world.main_pid(DAEMON)}, trainer {trainer} goes on"


async def stops_by_word(world: World) -> str:
    """!stop reaches the trainer without root; !resume goes on from its last step"""
    said = await world.discord.say(OPERATOR_ID, "!stop")
    await world.is_(TRAINER, "inactive")
    outcome = read_outcome(world.attempts()[-1].outcome.read_bytes())
    expect(isinstance(outcome, Failed) and outcome.failure == "stopped", f"{outcome}")
    await world.heard("중단", said.id)
    step, before = world.newest_step(), len(world.attempts())
    await world.discord.say(OPERATOR_ID, "!resume")
    await world.until(world.counted, lambda seen: seen > before, "another attempt")
    await world.trains()
    started = next(line for line in world.spoken() if isinstance(line, Started))
    expect(started.resumed_from is not None, "it began anew")
    return f"stopped at step {step}, went on from {started.resumed_from}"


async def is_upgraded(world: World) -> str:
    """another version's folder and a restart: the daemon is the new one's, the trainer stays the old one's"""
    trainer, daemon, _ = await _who(world)
    world.ground.turn_to("2")
    await world.machine.ask("systemctl", "restart", DAEMON)
    await _is_back(world, daemon)
    awake = [line for line in (await world.machine.journal(DAEMON)).splitlines() if '"awake"' in line]
    expect("/opt/training-claw-2" in awake[-1], awake[-1])
    command = (await world.machine.ask("cat", f"/proc/{trainer}/cmdline")).replace("\0", " ")
    expect(command.startswith("/opt/training-claw-1/"), command)
    await world.steps_beyond(world.newest_step())
    return f"daemon of /opt/training-claw-2, trainer {trainer} of /opt/training-claw-1 goes on"


async def is_watched(world: World) -> str:
    """a loop that no longer turns is killed by the watchdog, its stacks are in the journal"""
    trainer, daemon, _ = await _who(world)
    await world.machine.ask("systemctl", "kill", "--signal=STOP", "--kill-who=main", DAEMON)
    await _is_back(world, daemon)
    journal = await world.machine.journal(DAEMON)
    expect("Watchdog timeout" in journal, "no watchdog in the journal")
    expect("Fatal Python error: Aborted" in journal, "no stacks in the journal")
    expect(await world.main_pid(TRAINER) == trainer, "the trainer is another")
    return f"after {WATCHDOG_S} s (the unit's own: 90 s); trainer {trainer} goes on"


async def comes_back_from_a_crash(world: World) -> str:
    """kill -9 of the trainer: another one goes on from the last save, and Watcher hears of it"""

    async def notices() -> int:
        return world.count("재시작 알림")

    before, reported = len(world.attempts()), await notices()
    await world.machine.ask("systemctl", "kill", "--signal=KILL", TRAINER)
    await world.until(world.counted, lambda seen: seen > before, "another attempt")
    await world.trains()
    started = next(line for line in world.spoken() if isinstance(line, Started))
    await world.until(notices, lambda seen: seen > reported, "[REPORT] 재시작 알림.")
    return f"went on from {started.resumed_from or 'the beginning'}"


async def reboots(world: World) -> str:
    """systemctl reboot in mid-training: the trainer saves, all is back by itself and goes on from there"""
    await world.steps_beyond(world.newest_step())
    attempt, step = world.attempts()[-1], world.newest_step()
    await world.machine.reboot()
    outcome = read_outcome(attempt.outcome.read_bytes())
    expect(isinstance(outcome, Failed) and outcome.failure == "stopped", f"{outcome}")
    await world.is_(DAEMON, "active")
    await world.until(world.counted, lambda n: n > int(attempt.path.name), "another attempt")
    await world.trains()
    started = next(line for line in world.spoken() if isinstance(line, Started))
    expect(started.resumed_from is not None, "it began anew")
    return f"said step {step} before, goes on from {started.resumed_from}"


async def stays_down(world: World) -> str:
    """exit 2 (no token): it stays down, the alarm says so through the webhook, the trainer goes on"""
    trainer, _, _ = await _who(world)
    token = world.machine.file(TOKEN)
    secret = token.read_text()
    token.write_text("\n")
    await world.machine.ask("systemctl", "restart", DAEMON)
    await world.is_(DAEMON, "failed")
    await world.until(world.alarmed, bool, "an alarm")
    expect(await world.machine.show(DAEMON, "ExecMainStatus") == "2", "not exit code 2")
    expect(f"<@{ROSTER.watcher}>" in world.alarms[-1], world.alarms[-1])
    expect(await world.main_pid(TRAINER) == trainer, "the trainer is another")
    token.write_text(secret)
    await world.machine.ask("systemctl", "start", DAEMON)
    await world.is_(DAEMON, "active")
    expect("학습" in await world.status(), "no training in !status")
    return f"alarm: {' '.join(world.alarms[-1].split())[:60]}…"


async def is_seen(world: World) -> str:
    """/healthz and /metrics answer on the loopback"""
    await world.trains()
    address = f"http://127.0.0.1:{METRICS_PORT}"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{address}/healthz") as health:
            told = await health.json()
        async with session.get(f"{address}/metrics") as metrics:
            lines = (await metrics.text()).splitlines()
    expect((told["discord"], told["process"]) == ("connected", "alive"), f"{told}")
    seen = [
        line
        for line in lines
        if line.startswith(("training_claw_epoch ", 'training_claw_trainer{verdict="al'))
    ]
    expect(len(seen) == 2, f"{lines}")
    return f"{told}; {', '.join(seen)}"


async def is_examined(world: World) -> str:
    """doctor --in-unit looks from inside the trainer's sandbox, with a step on the GPU if there is one"""
    settings = "/etc/training-claw/training-claw.env"
    told = await world.machine.ask(PROGRAM, "doctor", "--in-unit", "--env-file", settings)
    expect("ok    torch" in told and "nothing to fix" in told, told)
    return " / ".join(told.splitlines())


async def tidies(world: World) -> str:
    """the cleanup timer waits for the night, its service runs through"""
    timer = "training-claw-cleanup.timer"
    await world.machine.ask("systemctl", "enable", "--now", timer)
    due = await world.machine.show(timer, "NextElapseUSecRealtime")
    await world.machine.ask("systemctl", "start", "training-claw-cleanup.service")
    result = await world.machine.show("training-claw-cleanup.service", "Result")
    journal = await world.machine.journal("training-claw-cleanup.service")
    expect(result == "success" and "GB freed" in journal, f"{result}: {journal}")
    expect(bool(due), "the timer has no next time")
    return f"next {due}; {next(line for line in journal.splitlines() if 'GB freed' in line)}"


async def ends(world: World) -> str:
    """!stop, and nothing of it is left running"""
    await world.discord.say(OPERATOR_ID, "!stop")
    await world.is_(TRAINER, "inactive")
    failed = await world.machine.ask("systemctl", "--failed", "--no-legend", "--plain")
    expect("training-claw" not in failed, failed)
    return "failed units: none of ours"


async def _who(world: World) -> tuple[int, int, int]:
    """The pids of trainer and daemon, and how often that was restarted."""
    return await world.main_pid(TRAINER), await world.main_pid(DAEMON), await world.restarts()


async def _is_back(world: World, former: int) -> None:
    """The daemon is another process, and it is ready and listens."""
    await world.until(lambda: world.main_pid(DAEMON), lambda pid: pid not in {0, former}, "another daemon")
    await world.is_(DAEMON, "active")
    await world.status()


CASES: tuple[Case, ...] = (
    starts,
    trains,
    keeps_to_itself,
    outlives_the_daemon,
    restarts,
    stops_by_word,
    is_upgraded,
    is_watched,
    comes_back_from_a_crash,
    reboots,
    stays_down,
    is_seen,
    is_examined,
    tidies,
    ends,
)
FIRST: tuple[Case, ...] = (starts, trains)
"""What every other case begins with."""
