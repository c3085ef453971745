"""`training-claw bucket` as a person meets it: what is said, and with which exit code."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main

from .plug import WEIGHTS, Save
from .workbench import FolderBench, files_in

PLACE = "checkpoints/cycle03/act_epoch_050/"

type Say = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> FolderBench:
    (tmp_path / "bucket").mkdir()
    return FolderBench(tmp_path / "bucket")


@pytest.fixture
def say(tmp_path: Path, folder: FolderBench) -> Say:
    """Runs `training-claw bucket`; `@` stands for the bucket's URL."""

    def run(*words: object, code: int = 0, **environment: str) -> Result:
        url = (tmp_path / "bucket").as_uri()
        arguments = [str(word).replace("@", f"{url}/") for word in words]
        result = CliRunner().invoke(main, ["bucket", *arguments], env=environment, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return run


class TestLooking:
    def test_a_listing_tells_sizes_and_whose_checkpoints_are(
        self, say: Say, folder: FolderBench, save: Save
    ) -> None:
        folder.seed("checkpoints/act_epoch_900/model", b"12345")
        say("push", save(), f"@{PLACE}")
        foreign, cycle = say("ls", "@checkpoints/").stdout.splitlines()
        assert foreign.split() == ["5", "B", "checkpoints/act_epoch_900/", "foreign"]
        assert cycle.endswith("checkpoints/cycle03/        4 in it")
        assert "cycle 3, epoch 50, by-hand" in say("ls", "@checkpoints/cycle03").stdout
        assert (
            say("ls", "@checkpoints/act_epoch_900/model").stdout == "5 B  checkpoints/act_epoch_900/model\n"
        )

    def test_a_checkpoint_tells_its_manifest_and_an_object_its_checksum(
        self, say: Say, folder: FolderBench, save: Save
    ) -> None:
        folder.seed("ssot/PLAN.md", b"plan")
        say("push", save(), f"@{PLACE}")
        assert "epoch        50" in say("stat", f"@{PLACE}").stdout
        assert "crc32c" in say("stat", "@ssot/PLAN.md").stdout

    def test_nothing_there_is_one_line(self, say: Say) -> None:
        result = say("ls", "@dataset/", code=1)
        assert result.stderr.startswith("training-claw bucket: dataset/ holds nothing")
        assert result.stderr.count("\n") == 1


class TestBounds:
    def test_only_the_configured_bucket_is_used(self, say: Say, tmp_path: Path) -> None:
        ours = (tmp_path / "bucket").as_uri()
        result = say("ls", "gs://elsewhere/dataset/", code=2, BUCKET=ours)
        assert "bring it there, or correct BUCKET" in result.stderr

    @pytest.mark.parametrize(
        ("place", "told"),
        [
            ("chekpoints/act_best/", "holds no folder chekpoints: did you mean checkpoints/?"),
            ("music/", "holds no folder music: correct the URL, or create it"),
        ],
    )
    def test_a_folder_written_wrongly_is_named_without_a_setting_that_is_not_set(
        self, say: Say, tmp_path: Path, place: str, told: str
    ) -> None:
        told = f"training-claw bucket: {tmp_path / 'bucket'} {told}\n"
        assert say("ls", f"@{place}", code=1).stderr == told
        assert not (tmp_path / "bucket" / place).exists()

    def test_a_path_needs_a_bucket(self, say: Say, folder: FolderBench, tmp_path: Path) -> None:
        folder.seed("dataset/a", b"1")
        assert "set BUCKET" in say("ls", "dataset/", code=2).stderr
        say("ls", "dataset/", BUCKET=(tmp_path / "bucket").as_uri())

    @pytest.mark.parametrize(
        ("place", "code"),
        [
            ("dataset/act_epoch_050/", 1),
            ("checkpoints/", 1),
            ("checkpoints/cycle03/", 2),
            ("checkpoints/act_best/within/", 2),
            ("checkpoints/.hidden/", 2),
        ],
    )
    def test_a_checkpoint_is_pushed_only_where_one_may_lie(
        self, say: Say, folder: FolderBench, save: Save, place: str, code: int
    ) -> None:
        result = say("push", save(), f"@{place}", "--cycle", 3, "--epoch", 50, code=code)
        assert result.stderr.count("\n") == 1
        assert folder.contents() == {}


class TestPushing:
    def test_a_pipe_in_the_folder_is_named_rather_than_waited_for(
        self, say: Say, folder: FolderBench, save: Save
    ) -> None:
        saved = save()
        os.mkfifo(saved / "pipe")
        assert (
            f"{saved / 'pipe'} is neither a file nor a folder"
            in say("push", saved, f"@{PLACE}", code=2).stderr
        )
        assert folder.contents(PLACE) == {}

    def test_a_second_push_finds_it_there(self, say: Say, save: Save) -> None:
        first = save()
        assert "2 files travelled" in say("push", first, f"@{PLACE}").stdout
        assert "it stood there already" in say("push", first, f"@{PLACE}").stdout

    def test_what_stands_there_is_replaced_only_on_demand(
        self, say: Say, folder: FolderBench, save: Save
    ) -> None:
        folder.seed(PLACE + "model", b"by hand")
        assert "is taken" in say("push", save(), f"@{PLACE}", code=1).stderr
        assert folder.contents() == {PLACE + "model": b"by hand"}
        assert "is now at" in say("push", save(), f"@{PLACE}", "--replace").stdout
        assert b"by hand" in folder.contents("checkpoints/foreign-").values()

    def test_what_the_path_does_not_say_is_asked_for(self, say: Say, save: Save) -> None:
        assert "add --cycle N --epoch N\n" in say("push", save(), "@checkpoints/mine/", code=2).stderr
        assert "ssot is not ours to write" in say("push", save(), "@ssot/", code=1).stderr, (
            "whatever its cycle"
        )
        assert "the bucket itself is no place" in say("push", save(), "@", code=2).stderr


class TestPulling:
    def test_a_checkpoint_comes_home_without_its_manifest(self, say: Say, save: Save, tmp_path: Path) -> None:
        saved = save()
        say("push", saved, f"@{PLACE}")
        assert "epoch 50 of cycle 3 is in" in say("pull", f"@{PLACE}", tmp_path / "home").stdout
        assert files_in(tmp_path / "home") == files_in(saved)

    def test_a_folder_with_other_things_in_it_is_left_alone(
        self, say: Say, folder: FolderBench, tmp_path: Path
    ) -> None:
        folder.seed("dataset/a", b"1")
        (tmp_path / "home").mkdir()
        (tmp_path / "home/thesis.tex").write_bytes(b"precious")
        assert "holds thesis.tex" in say("pull", "@dataset/", tmp_path / "home", code=2).stderr
        assert files_in(tmp_path / "home") == {"thesis.tex": b"precious"}
        say("pull", "@dataset/", tmp_path / "home", "--mirror")
        assert files_in(tmp_path / "home") == {"a": b"1"}


class TestVerifying:
    def test_every_byte_is_read_again(self, say: Say, folder: FolderBench, save: Save) -> None:
        folder.seed("checkpoints/act_epoch_900/model", b"12345")
        say("push", save(), f"@{PLACE}")
        assert f"whole   {PLACE}" in say("verify", "@checkpoints/").stdout
        assert "foreign: nothing to hold it against" in say("verify", "@").stdout
        folder.seed(PLACE + WEIGHTS, b"damaged")
        for how in ((), ("--quick",)):
            told = say("verify", f"@{PLACE}", *how, code=4).stdout
            assert f"DAMAGED {PLACE}" in told
            assert PLACE + WEIGHTS in told.splitlines()[1]

    @pytest.mark.parametrize("said", [b"{}", b"\xff", b""])
    def test_one_of_ours_whose_manifest_says_nothing_is_damaged(
        self, say: Say, folder: FolderBench, save: Save, said: bytes
    ) -> None:
        folder.seed("checkpoints/act_epoch_900/manifest.json", said)
        say("push", save(), f"@{PLACE}")
        folder.seed(PLACE + "manifest.json", said)
        told = say("verify", "@checkpoints/", code=4).stdout
        assert "foreign: nothing to hold it against" in told
        assert f"DAMAGED {PLACE}" in told
        assert f"{PLACE}manifest.json is not a manifest of ours: publish that checkpoint anew" in told


class TestRetention:
    def test_it_shows_first_and_takes_away_on_demand(self, say: Say, folder: FolderBench, save: Save) -> None:
        for epoch in (50, 100, 150, 200):
            say("push", save(str(epoch)), f"@checkpoints/cycle03/act_epoch_{epoch:03d}/")
        told = say("retention", "@").stdout
        assert f"{PLACE}  neither the best of cycle 3 nor among its last 3" in told
        assert "1 of 4 would go" in told
        assert len(folder.contents(PLACE)) == 4
        assert "1 of 4 went" in say("retention", "@", "--apply").stdout
        assert folder.contents(PLACE) == {}

    def test_nothing_goes_while_what_stays_is_damaged(
        self, say: Say, folder: FolderBench, save: Save
    ) -> None:
        for epoch in (50, 100):
            say("push", save(str(epoch)), f"@checkpoints/cycle03/act_epoch_{epoch:03d}/")
        folder.seed(f"checkpoints/cycle03/act_epoch_100/{WEIGHTS}", b"damaged")
        assert "keeps what could go" in say("retention", "@", "--keep", 1, "--apply", code=1).stderr
        assert len(folder.contents(PLACE)) == 4


def test_every_command_shows_examples(say: Say) -> None:
    for command in ("ls", "stat", "pull", "push", "verify", "retention"):
        assert f"training-claw bucket {command} " in say(command, "--help").stdout
