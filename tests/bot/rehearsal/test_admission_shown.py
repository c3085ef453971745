"""A data set is refused, mended and admitted in the channel: real daemon, real check, real client library."""

from pathlib import Path

import pytest

from bot.rehearsal.cast import OPERATOR_ID
from bot.rehearsal.discord.record import Entry
from bot.rehearsal.players.script import Facts, developers_handoff, watchers_handoff
from bot.rehearsal.troubles.trial import ROSTER, Trial, trial
from bot.shell.machine.places import Places
from trainer.simulation.faults import Fault
from trainer.simulation.simulate import simulate

EPISODES = 4
PLAN = f"""```yaml
dataset:
  min_episodes: {EPISODES}
  image_size: [48, 64]
```
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


async def said(one: Trial, words: str, after: int = 0) -> Entry:
    return await one.server.record.until(
        lambda entry: entry.author_id == ROSTER.training and entry.id > after and words in entry.content
    )


async def test_the_report_of_the_check_is_there_to_be_looked_at(tmp_path: Path) -> None:
    dataset, plan = tmp_path / "bucket" / "dataset", tmp_path / "bucket" / "ssot" / "PLAN.md"
    simulate(dataset, episodes=EPISODES, frames=8)
    plan.parent.mkdir()
    plan.write_text(PLAN)
    good = (dataset / "episode_002" / "actions.jsonl").read_bytes()
    Fault("nan", 2).spoil(dataset / "episode_002")
    facts = Facts((tmp_path / "bucket").as_uri(), episodes=EPISODES, batch_size=8, lead_in_frames=2)
    async with trial(tmp_path) as one:
        handoff = watchers_handoff(ROSTER, facts).partition("레슨런")[0]
        await one.server.say(ROSTER.watcher, handoff)
        await said(one, "HANDOFF 접수")
        await one.server.say(OPERATOR_ID, "!stop")  # it is not about training
        await one.server.say(ROSTER.developer, developers_handoff(ROSTER, facts))
        blocked = await said(one, "[BLOCKED] 데이터 검증 실패.")
        assert "episode_002의 NaN/Inf 값 (steering, 프레임 4)" in blocked.content
        assert blocked.attachments == ("report.json", "frames.png", "actions.png", "episodes.png")
        seen = surveyed(tmp_path, one)
        (dataset / "episode_002" / "actions.jsonl").write_bytes(good)
        await one.server.say(ROSTER.developer, developers_handoff(ROSTER, facts))
        admitted = await said(one, "데이터 검증 통과", after=blocked.id)
        assert f"에피소드 {EPISODES}개, {EPISODES * 8}프레임" in admitted.content
        assert admitted.attachments == ("report.json", "actions.png", "episodes.png")
        assert surveyed(tmp_path, one) == seen, "no picture was looked at again"


def surveyed(folder: Path, one: Trial) -> dict[str, int]:
    """When what was seen in each video was written down."""
    cycle = one.house.desk.state.cycle
    assert cycle is not None, "a cycle is open"
    surveys = Places(folder / "state").run(cycle.run_name).surveys
    return {path.name: path.stat().st_mtime_ns for path in surveys.iterdir()}
