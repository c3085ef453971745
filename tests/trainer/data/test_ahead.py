"""A set is looked at while it arrives, in whatever order and however often that is begun anew; verdict and
pictures are those of a set that was all here from the first.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shutil import copy, copytree
from subprocess import Popen, TimeoutExpired
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.folders import AttemptFolder, RunFolder
from protocol.job import CheckJob, ExitCode, read_outcome
from protocol.training import TrainingConfig
from trainer.checking.check import Judgement, judge
from trainer.converting.draft import draft_of
from trainer.converting.reuse import known_in
from trainer.data.episodes import find_episodes
from trainer.data.store import FrameStore
from trainer.process.attempt import JobError, Stop
from trainer.simulation.faults import Fault

from .desk import Desk, hash_folder

type Step = Callable[[], object]


@dataclass
class Delivery:
    """An arrival: each time that somebody asks again whether it is over, the next thing happens."""

    whole: Path
    folder: Path
    steps: list[Step] = field(default_factory=list[Step])
    coming_bytes: int = 1
    begun: bool = False

    def __post_init__(self) -> None:
        """The rows are here."""
        for path in self.whole.rglob("*"):
            if path.is_file() and path.suffix != ".mp4":
                self.land(path.relative_to(self.whole).as_posix())

    def is_over(self) -> bool:
        if self.begun and self.steps:
            self.steps.pop(0)()
            return False
        self.begun = True
        return not self.steps

    def comes(self, *names: str) -> "Delivery":
        self.steps += [self._landing(name) for name in names]
        return self

    def _landing(self, name: str) -> Step:
        return lambda: self.land(name)

    def land(self, name: str) -> None:
        """Whole or not at all, as the bot has it land."""
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        copy(self.whole / name, place.with_name(".~landing"))
        place.with_name(".~landing").replace(place)

    def videos(self) -> list[str]:
        return sorted(path.relative_to(self.whole).as_posix() for path in self.whole.rglob("*.mp4"))


@pytest.fixture
def delivery(folder: Path, tmp_path: Path) -> Delivery:
    return Delivery(folder, tmp_path / "arriving")


EACH_ONCE = ["episode_000", "episode_001", "episode_002", "episode_003"]


class TestWhatArrivesIsLookedAtAsItLands:
    def test_each_episode_once_in_the_order_of_landing(
        self, delivery: Delivery, desk: Desk, plain: np.ndarray, here: list[str]
    ) -> None:
        delivery.comes(*reversed(delivery.videos()))
        heard: list[tuple[int, int]] = []
        verdict = desk.check(
            delivery.folder, arrival=delivery, told_ahead=lambda *so_far: heard.append(so_far)
        ).verdict
        assert here == [*reversed(EACH_ONCE)]
        assert heard[-1] == (4, 4)
        assert verdict == judge(delivery.whole, desk.config).verdict
        here.clear()
        assert np.array_equal(desk.convert(delivery.folder, verdict), plain)
        assert here == []

    def test_what_landed_last_is_left_to_the_check(
        self, delivery: Delivery, desk: Desk, plain: np.ndarray, here: list[str]
    ) -> None:
        """All of it is here before anybody looked twice."""
        first, *others = delivery.videos()
        delivery.comes(first).steps.append(lambda: [delivery.land(name) for name in others])
        delivery.steps.append(delivery.steps.clear)
        verdict = desk.check(delivery.folder, arrival=delivery).verdict
        assert np.array_equal(desk.convert(delivery.folder, verdict), plain)
        assert here == EACH_ONCE

    def test_a_stopped_one_goes_on_where_it_was(
        self, delivery: Delivery, desk: Desk, plain: np.ndarray, here: list[str]
    ) -> None:
        stop, videos = Stop(), delivery.videos()
        delivery.comes(*videos[:2]).steps.append(partial(setattr, stop, "asked", True))
        with pytest.raises(JobError, match="stopped"):
            desk.check(delivery.folder, stop, arrival=delivery)
        delivery.comes(*videos[2:])
        verdict = desk.check(delivery.folder, arrival=delivery).verdict
        assert np.array_equal(desk.convert(delivery.folder, verdict), plain)
        assert here == EACH_ONCE

    def test_of_a_set_handed_over_again_only_what_is_new(
        self, delivery: Delivery, desk: Desk, plain: np.ndarray, here: list[str]
    ) -> None:
        spoiled = copytree(delivery.whole, desk.path.with_name("spoiled"))
        Fault("damaged_video", 1).spoil(spoiled / "episode_001")
        assert not desk.check(spoiled).verdict.ok
        here.clear()
        delivery.comes(*delivery.videos())
        verdict = desk.check(delivery.folder, arrival=delivery).verdict
        assert np.array_equal(desk.convert(delivery.folder, verdict), plain)
        assert here == ["episode_001"]

    def test_without_room_for_pictures_and_all_that_comes_no_draft_is_laid_out(
        self, delivery: Delivery, desk: Desk, here: list[str]
    ) -> None:
        drafts: list[bool] = []
        delivery.coming_bytes = 2**62
        delivery.comes(*delivery.videos()).steps.append(lambda: drafts.append(draft_of(desk.output).exists()))
        assert desk.check(delivery.folder, arrival=delivery).verdict.ok
        assert drafts == [False]
        assert {*here} == {*EACH_ONCE}

    @pytest.mark.usefixtures("here")
    def test_pictures_of_a_video_that_was_replaced_are_found_under_its_name_alone(
        self, delivery: Delivery, desk: Desk, plain: np.ndarray
    ) -> None:
        first, second, *_ = delivery.videos()
        delivery.steps.append(partial(copy, delivery.whole / second, delivery.folder / first))
        delivery.comes(*delivery.videos())
        verdict = desk.check(delivery.folder, arrival=delivery).verdict
        assert verdict == judge(delivery.whole, desk.config).verdict
        assert np.array_equal(desk.convert(delivery.folder, verdict), plain)

    @pytest.mark.usefixtures("here")
    def test_rows_that_changed_after_the_draft_was_laid_out_are_the_new_ones(
        self, delivery: Delivery, desk: Desk
    ) -> None:
        rows = "episode_000/actions.jsonl"
        copy(delivery.whole / "episode_001/actions.jsonl", delivery.folder / rows)
        delivery.comes(*delivery.videos(), rows)
        verdict = desk.check(delivery.folder, arrival=delivery).verdict
        desk.convert(delivery.folder, verdict)
        made, table = FrameStore.open(desk.output), find_episodes(delivery.whole)[0].table(desk.config)
        assert np.array_equal(made.action[:16], table.action.astype(np.float32))
        assert made.certificate == hash_folder(delivery.whole)

    @pytest.mark.usefixtures("here")
    def test_a_place_whose_pictures_have_a_name_is_not_given_to_others(
        self, delivery: Delivery, desk: Desk
    ) -> None:
        """Whoever were killed in the middle of that would leave pictures under a name not their own."""
        stop, names = Stop(), list[set[str]]()

        def look() -> None:
            names.append({*known_in(draft_of(desk.output)).places})

        first, second, *_ = delivery.videos()
        delivery.steps.append(partial(copy, delivery.whole / second, delivery.folder / first))
        delivery.steps += [look, partial(setattr, stop, "asked", True)]
        with pytest.raises(JobError, match="stopped"):
            desk.check(delivery.folder, stop, arrival=delivery)
        delivery.begun = False
        delivery.comes(first).steps += [look]
        desk.check(delivery.folder, arrival=delivery)
        assert names[0] == names[1]

    @pytest.mark.usefixtures("here")
    def test_nobody_takes_a_draft_for_whole_whose_set_has_not_come(
        self, delivery: Delivery, desk: Desk
    ) -> None:
        seen: list[tuple[int, bool]] = []

        def look() -> None:
            seen.append((len(known_in(draft_of(desk.output)).places), desk.output.exists()))

        first, *_ = delivery.videos()
        delivery.comes(first).steps += [look, look]
        verdict = desk.check(delivery.folder, arrival=delivery).verdict
        assert seen[-1] == (1, False)
        assert not verdict.ok
        assert {each.message for each in verdict.problems} >= {"ego.mp4 없음"}


type WholeSets = Callable[[str | None], tuple[Path, Judgement, np.ndarray | None]]

FAULTS = (
    None,
    None,
    None,
    "damaged_video",
    "missing_video",
    "frame_count",
    "nan",
    "black_frames",
    "missing_actions",
)


@dataclass(frozen=True)
class Story:
    """How a set arrives: which fault it has, in which order its videos land, what happens between."""

    fault: str | None
    order: tuple[int, ...]
    stops: frozenset[int]
    replaced: int
    strange_rows: int
    sudden: int


stories = st.builds(
    Story,
    fault=st.sampled_from(FAULTS),
    order=st.permutations(range(4)).map(tuple),
    stops=st.frozensets(st.integers(0, 4), max_size=2),
    replaced=st.integers(0, 3),
    strange_rows=st.integers(0, 3),
    sudden=st.integers(0, 4),
)
"""`stops`: after which landings the check is stopped and begun anew; `replaced`, `strange_rows`: which video
and which rows were episode_003's at first; from the landing `sudden` on all come at once."""


@pytest.fixture(scope="session")
def whole_sets(
    simulated: Path, config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory
) -> WholeSets:
    """By fault: the set, and what comes of it where all of it is here from the first."""
    made: dict[str | None, tuple[Path, Judgement, np.ndarray | None]] = {}

    def of(fault: str | None) -> tuple[Path, Judgement, np.ndarray | None]:
        if fault not in made:
            place = tmp_path_factory.mktemp("whole")
            whole, desk = copytree(simulated, place / "set"), Desk(place / "run", config)
            if fault:
                Fault(fault, 2).spoil(whole / "episode_002")
            found = desk.check(whole)
            made[fault] = whole, found, desk.convert(whole, found.verdict) if found.verdict.ok else None
        return made[fault]

    return of


def delivered(story: Story, delivery: Delivery, stop: Stop) -> None:
    """The steps of its story."""
    names = [f"episode_{number:03d}/ego.mp4" for number in story.order]
    last = [name for name in names if (delivery.whole / name).exists()]
    stray = delivery.whole / "episode_003"
    for landed, name in enumerate(last[: story.sudden]):
        if story.replaced == landed:
            delivery.steps.append(partial(copy, stray / "ego.mp4", delivery.folder / name))
        delivery.comes(name)
        if landed in story.stops:
            delivery.steps.append(partial(setattr, stop, "asked", True))
    rows = f"episode_{story.strange_rows:03d}/actions.jsonl"
    if (delivery.whole / rows).exists():
        copy(stray / "actions.jsonl", delivery.folder / rows)
        last.append(rows)
    delivery.steps.append(lambda: [delivery.land(name) for name in last])


@given(story=stories)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("here")
def test_however_it_arrives_the_verdict_is_that_on_the_whole(
    story: Story, whole_sets: WholeSets, config: TrainingConfig
) -> None:
    whole, expected, pictures = whole_sets(story.fault)
    with TemporaryDirectory() as place:
        delivery, desk, stop = Delivery(whole, Path(place, "set")), Desk(Path(place, "run"), config), Stop()
        delivered(story, delivery, stop)
        found = None
        while found is None:
            stop.asked = False
            with suppress(JobError):
                found = desk.check(delivery.folder, stop, arrival=delivery)
        assert (found.verdict, found.hashes) == (expected.verdict, expected.hashes)
        if pictures is not None:
            assert np.array_equal(desk.convert(delivery.folder, found.verdict), pictures)


@pytest.mark.slow
def test_a_killed_job_is_begun_anew_and_its_verdict_comes_when_all_is_here(
    delivery: Delivery, desk: Desk, config: TrainingConfig, whole_sets: WholeSets
) -> None:
    run, videos = RunFolder(desk.path), delivery.videos()
    job = CheckJob(
        data=delivery.folder, config=config, output=run.data, surveys=run.surveys, coming_bytes=10**6
    )
    delivery.land(videos[0])
    with at_work(run.attempt(1), job) as process:
        until(lambda: known_in(draft_of(run.data)).places, process)
        process.kill()
    for name in videos[1:]:
        delivery.land(name)
    with at_work(run.attempt(2), job) as process:
        until(lambda: len(known_in(draft_of(run.data)).places) == 4, process)
        assert not run.attempt(2).outcome.exists(), "nobody has said yet that all is here"
        run.attempt(2).arrived.touch()
        assert process.wait(300) == ExitCode.DONE
    assert read_outcome(run.attempt(2).outcome.read_bytes()) == whole_sets(None)[1].verdict


@contextmanager
def at_work(folder: AttemptFolder, job: CheckJob) -> Iterator[Popen[bytes]]:
    folder.path.mkdir(parents=True)
    folder.job.write_text(job.model_dump_json())
    with Popen(
        [sys.executable, "-m", "trainer", "run", folder.job], cwd=Path(__file__).parents[3]
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(found: Callable[[], object], process: Popen[bytes]) -> None:
    while not found() and process.poll() is None:
        with suppress(TimeoutExpired):
            process.wait(0.05)
    assert process.poll() is None, "it has ended"
