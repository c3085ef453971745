"""A trainer that speaks the folder protocol and nothing else, told what to do by words in its job's run name.

Started as `python stand_in.py run JOB --lock-fd N`. It imports nothing of ours, so it starts at once.
"""

import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

job = Path(sys.argv[2])
lock = int(sys.argv[4])
folder = job.parent
plan = folder.parent.parent.name


def say(event: str, **fields: object) -> None:
    line = {"event": event, "at": datetime.now(UTC).isoformat(), "next_within_s": 60, **fields}
    with (folder / "events.jsonl").open("ab", buffering=0) as events:
        events.write(json.dumps(line).encode() + b"\n")


def end(**outcome: object) -> None:
    unfinished = folder / ".outcome"
    unfinished.write_text(json.dumps(outcome))
    unfinished.rename(folder / "outcome.json")


def wait_for(signal_name: str) -> None:
    """Until SIGTERM, or until somebody puts a file of this name into the run's folder."""
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    say("counted", done=1, total=2, unit="episode")
    say("found", fact="ready")
    while not stop and not (folder.parent.parent / signal_name).exists():
        signal.sigtimedwait([], 0.02)
    if stop:
        end(kind="failed", failure="stopped", message="stopped on request")
        sys.exit(5)


os.set_inheritable(lock, False)
say("began", pid=os.getpid(), phase="check")
if plan.startswith("kill"):
    print("about to die\n2026-11-26 12:00:00,000 INFO trainer.loop: on its way", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
if plan.startswith("crash"):
    sys.exit("RuntimeError: no more ideas")
if plan.startswith("mute"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("found", fact="ready")
    signal.sigwait([signal.SIGUSR1])
if plan.startswith("wait"):
    wait_for("go on")
say("found", fact="steering_dominates", figures={"ratio": 10})
end(kind="checked", ok=True, episodes=3, frames=60, hash="abc", problems=[])
