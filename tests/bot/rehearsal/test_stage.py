"""The stage is set as the card wants it, and left as it was found."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from bot.rehearsal.processes import Daemon, end_jobs, live_jobs
from bot.rehearsal.stage import FAST, Address, Sizes, Stage, invite, set_stage, strike, write_env
from bot.settings import read_settings
from protocol.folders import RunFolder
from protocol.roster import Peer
from protocol.training import TrainingConfig

NOWHERE = Address(1477000000000000001, "http://127.0.0.1:1/api/v10", "ws://127.0.0.1:1")

Look = Callable[[Path], list[str]]

TRAINER = """
import signal, sys
lock = open(sys.argv[1], "w")
signal.signal(signal.SIGTERM, signal.SIG_DFL if sys.argv[2] == "polite" else signal.SIG_IGN)
print("at work", flush=True)
signal.pause()
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path, Sizes())
    set_stage(stage)
    return stage


class TestSettingTheStage:
    @pytest.mark.parametrize("sizes", [Sizes(), FAST], ids=["full", "fast"])
    def test_the_plan_is_a_config_in_the_cards_shape(self, tmp_path: Path, sizes: Sizes) -> None:
        set_stage(Stage(tmp_path, sizes))
        plan = (tmp_path / "bucket" / "ssot" / "PLAN.md").read_text()
        config = TrainingConfig.model_validate(yaml.safe_load(plan.split("```yaml")[1].split("```")[0]))
        assert (config.training.epochs, config.training.batch_size) == (sizes.epochs, sizes.batch_size)
        assert config.model.pretrained_backbone_weights is None

    @pytest.mark.parametrize("sizes", [Sizes(), FAST], ids=["full", "fast"])
    def test_more_checkpoints_fall_due_than_are_kept(self, sizes: Sizes) -> None:
        assert sizes.epochs // sizes.save_checkpoint_every > 3
        assert sizes.episodes >= 50

    def test_the_daemon_can_read_its_env_file(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DISCORD_TOKEN", raising=False)
        write_env(stage, "a.made.up.token", NOWHERE)
        settings = read_settings(stage.env_file)
        assert settings.bucket == stage.bucket_url
        assert settings.state_dir == stage.state
        assert stage.env_file.stat().st_mode & 0o077 == 0

    def test_a_guest_is_told_how_to_join_and_where_the_data_lies(self, stage: Stage) -> None:
        invitation = invite(stage, Peer.DEVELOPER, "a.made.up.token", NOWHERE)
        assert invitation.name == "Developer.env"
        assert invitation.stat().st_mode & 0o077 == 0
        assert invitation.read_text().splitlines() == [
            "DISCORD_TOKEN=a.made.up.token",
            f"DISCORD_CHANNEL_ID={NOWHERE.channel_id}",
            f"DISCORD_API_BASE={NOWHERE.api_base}",
            f"DISCORD_GATEWAY_URL={NOWHERE.gateway_url}",
            "CYCLE=1",
            f"DATA={stage.bucket_url}/dataset/",
            f"PLAN={stage.bucket_url}/ssot/PLAN.md",
        ]

    def test_what_is_left_is_worth_a_look(self, stage: Stage) -> None:
        stage.daemon_log.touch()
        stage.evaluation.mkdir()
        invite(stage, Peer.DEVELOPER, "a.made.up.token", NOWHERE)
        strike(stage)
        assert [path.name for path in stage.folder.iterdir()] == ["daemon.log"]


class TestTheWitness:
    def test_it_sees_which_named_paths_are_there(self, stage: Stage) -> None:
        (stage.bucket / "checkpoints" / "act_epoch_005").mkdir()
        (stage.bucket / "checkpoints" / "act_epoch_005" / "config.json").touch()
        there, missing, empty = (
            f"{stage.bucket_url}/{path}"
            for path in ("checkpoints/act_epoch_005/", "checkpoints/act_best/", "dataset")
        )
        (stage.bucket / "dataset").mkdir()
        text = f"최근 checkpoint: {there}\nBest checkpoint: `{missing}`, {empty} gs://elsewhere/x"
        assert stage.witness(text) == {there: True, missing: False, empty: False}

    @pytest.mark.parametrize("url", ["gs://ralphton-handoff/checkpoints/act_best/", "{}/../state/"])
    def test_nothing_outside_the_bucket_is_handed_over(self, stage: Stage, url: str) -> None:
        with pytest.raises(ValueError, match="is not in"):
            stage.in_bucket(url.format(stage.bucket_url))


class TestLeavingNobodyBehind:
    @pytest.mark.slow
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_rehearsal_that_is_interrupted_leaves_no_process(
        self, tmp_path: Path, number: int, processes_that_name: Look
    ) -> None:
        code = "from bot.rehearsal.command import rehearse; rehearse()"
        command = [sys.executable, "-c", code, "--dir", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert "simulating" in process.stdout.readline()
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert said.splitlines() == ["interrupted; nothing is left running"]
        assert processes_that_name(tmp_path) == []

    @pytest.fixture(params=["polite", "stubborn"])
    def trainer(
        self, request: pytest.FixtureRequest, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[subprocess.Popen[str]]:
        monkeypatch.setattr("bot.rehearsal.processes.PATIENCE_S", 0.2)
        attempt = RunFolder(stage.runs / "cycle01").attempt(1)
        attempt.path.mkdir(parents=True)
        command = [sys.executable, "-c", TRAINER, str(attempt.lock), request.param]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "at work\n"
            yield process
            process.kill()

    async def test_a_trainer_is_found_by_its_open_lock_and_ended(
        self, stage: Stage, trainer: subprocess.Popen[str]
    ) -> None:
        assert live_jobs(stage.runs) == {trainer.pid}
        assert await end_jobs(stage.runs) == 1
        assert trainer.wait() in (-signal.SIGTERM, -signal.SIGKILL)
        assert live_jobs(stage.runs) == set()

    async def test_a_daemon_that_cannot_start_leaves_its_reason(self, stage: Stage) -> None:
        daemon = Daemon(stage.env_file, stage.daemon_log)
        await daemon.start()
        async with asyncio.timeout(30):
            assert await daemon.wait() != 0
        assert "Error" in daemon.last_words() or "rehearsal.env" in daemon.last_words()
        await daemon.stop()
