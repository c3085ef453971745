"""What an onlooker sees, at a terminal and in a log."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from bot.rehearsal.cast import cast_of
from bot.rehearsal.command import rehearse
from bot.rehearsal.console import Onlooker, Review
from bot.rehearsal.discord.record import Entry
from bot.rehearsal.gauges import Gauge, gauges
from bot.rehearsal.judging.judge import Act
from bot.rehearsal.players.numbers import Numbers
from bot.rehearsal.stage import Sizes, Stage
from protocol.folders import RunFolder
from protocol.job import CheckJob, TrainJob
from protocol.progress import Counted, Stepped
from protocol.roster import Peer, Roster
from protocol.training import TrainingConfig

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
REPORT = Entry(
    time=NOW,
    id=1,
    author="Training-Claw",
    author_id=Roster().training,
    content=f"{Roster().mention(Peer.WATCHER)} [REPORT] ACT 학습 진행.\nEpoch: 5/20",
    attachments=("loss_curve.png",),
)
REVIEW = Review(
    acts=(Act("It learned", passed=True, evidence="26%"), Act("It sees", passed=False, evidence="12%")),
    numbers=Numbers(1.0, 0.26, 0.87, 0.12),
    took=timedelta(seconds=95),
    loss_curve=Path("/stage/loss_curve.png"),
    folder=None,
    transcript=Path("/stage/transcript.jsonl"),
)


def shown(*, terminal: bool) -> str:
    out = io.StringIO()
    with Onlooker(cast_of(Roster()), Console(file=out, force_terminal=terminal, width=80)) as onlooker:
        onlooker.said(REPORT)
        onlooker.gauge(Gauge("fetching", 56, 56))
        onlooker.gauge(Gauge("training", 5, 20, "loss 0.400, L1 0.300"))
        onlooker.verdict(REVIEW)
    return out.getvalue()


class TestAtATerminal:
    def test_there_are_colours_and_bars(self) -> None:
        seen = shown(terminal=True)
        assert "\x1b[" in seen
        assert "5/20" in seen
        assert "56/56" in seen
        assert "loss 0.400, L1 0.300" in seen


class TestInALog:
    def test_there_is_no_escape_code(self) -> None:
        assert "\x1b" not in shown(terminal=False)

    def test_mentions_are_names_and_files_are_named(self) -> None:
        lines = shown(terminal=False).splitlines()
        assert "Training" in lines[0]
        assert "@Watcher [REPORT] ACT 학습 진행." in lines[0]
        assert any("loss_curve.png" in line for line in lines)

    def test_the_verdict_has_acts_numbers_time_and_places(self) -> None:
        seen = shown(terminal=False)
        for words in (
            "✅ It learned",
            "❌ It sees: 12%",
            "87.0%",
            "took 95 s",
            "/stage/loss_curve.png",
            "FAILED",
        ):
            assert words in seen


class TestGauges:
    @pytest.fixture
    def stage(self, tmp_path: Path) -> Stage:
        return Stage(tmp_path, Sizes())

    def test_they_read_the_newest_line_of_each_job(
        self, stage: Stage, stepped: Callable[..., Stepped]
    ) -> None:
        run = RunFolder(stage.runs / "cycle01")
        check = CheckJob(data=stage.dataset, config=TrainingConfig())
        train = TrainJob(data=run.data, run=run.path, config=TrainingConfig())
        counted = Counted(at=NOW, done=12, total=56, unit="episode")
        for number, job in enumerate((check, train), start=1):
            run.attempt(number).path.mkdir(parents=True)
            run.attempt(number).job.write_text(job.model_dump_json())
        run.attempt(1).events.write_text(f"{counted.model_dump_json()}\n")
        steps = [stepped(NOW, epoch=epoch, epochs=20).model_dump_json() for epoch in (4, 5)]
        run.attempt(2).events.write_text("\n".join((*steps, '{"half a l')))
        assert [(one.name, one.done, one.total) for one in gauges(stage)] == [
            ("checking", 12, 56),
            ("training", 5, 20),
        ]

    def test_an_empty_stage_has_none(self, stage: Stage) -> None:
        assert list(gauges(stage)) == []


class TestTheCommand:
    @pytest.mark.parametrize("arguments", [["--episodes", "49"], ["--dir", "."], ["--epochs", "0"]])
    def test_what_cannot_be_played_is_refused_in_a_line(self, arguments: list[str]) -> None:
        answer = CliRunner().invoke(rehearse, arguments)
        assert answer.exit_code == 2
        assert "Error" in answer.output

    def test_help_shows_examples(self) -> None:
        assert "training-claw rehearse --fast" in CliRunner().invoke(rehearse, ["--help"]).output
