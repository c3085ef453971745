"""The simulator writes what Developer's writes, and what is right to do can be seen in it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer.process.attempt import JobError
from trainer.simulation.camera import HEIGHT, WIDTH, picture
from trainer.simulation.faults import Fault
from trainer.simulation.scene import IDLE, Block, Moment, World, expert, play
from trainer.simulation.simulate import simulate

CARD_ROW = (
    *("frame", "timestamp", "steering", "throttle", "bucket", "lift"),
    *("loader_x", "loader_z", "loader_rotation", "legos_remaining"),
)


def rows_of(episode: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (episode / "actions.jsonl").read_text().splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_rows_have_the_contract_s_names_in_its_order(simulated: Path) -> None:
    rows = rows_of(simulated / "episode_000")
    assert all(tuple(row) == CARD_ROW for row in rows)
    assert [row["frame"] for row in rows] == list(range(16))
    assert isinstance(rows[0]["legos_remaining"], int)


def test_metadata_records_the_success_criteria(simulated: Path) -> None:
    metadata = json.loads((simulated / "episode_003" / "metadata.json").read_text())
    assert metadata.keys() == {"episode", "fps", "frames", "seed", "success_criteria", "success"}
    assert (metadata["episode"], metadata["fps"], metadata["frames"]) == ("episode_003", 30, 16)
    assert metadata["success_criteria"]["met"] is True


def test_the_same_seed_and_number_give_the_same_files(simulated: Path, tmp_path: Path) -> None:
    simulate(tmp_path, episodes=1, frames=16, seed=11, first=2, lead_in=3)
    assert contents(tmp_path / "episode_002") == contents(simulated / "episode_002")
    assert contents(simulated / "episode_002") != contents(simulated / "episode_003")


def test_an_episode_that_is_there_is_not_overwritten(simulated: Path) -> None:
    with pytest.raises(JobError, match="episode_003 is already there"):
        simulate(simulated, episodes=1, frames=16, first=3)


def test_a_fault_outside_the_set_is_named_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="episode_007 is not made here"):
        simulate(tmp_path, episodes=1, frames=4, faults=[Fault("nan", 7)])
    assert not list(tmp_path.iterdir())


def test_in_the_lead_in_the_camera_swings_and_nothing_is_done() -> None:
    moments = list(play(np.random.default_rng(3), frames=12, lead_in=5))
    assert len(moments) == 12
    assert all(moment.action == IDLE for moment in moments[:5])
    assert len({moment.world for moment in moments[:5]}) == 1
    assert len({moment.swing for moment in moments[:5]}) == 5
    assert all(moment.swing == 0 and moment.action != IDLE for moment in moments[5:])


def in_sight(bearing: float, distance: float) -> Moment:
    block = Block(distance * np.sin(bearing), distance * np.cos(bearing), (76, 85, 255))
    return Moment(World(0, 0, 0, block, 9), IDLE)


def block_pixels(moment: Moment) -> np.ndarray:
    """Where the block is, by its colour: rows and columns, in half-resolution pixels."""
    red = picture(moment)[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)[1]
    return np.argwhere(red == 255)


@pytest.mark.parametrize("bearing", [-0.5, -0.1, 0.0, 0.3])
def test_bearing_shows_as_a_place_and_distance_as_a_size(bearing: float) -> None:
    near, far = block_pixels(in_sight(bearing, 2.0)), block_pixels(in_sight(bearing, 5.0))
    offset = far[:, 1].mean() - WIDTH / 4
    assert np.sign(round(offset / 10)) == np.sign(bearing)
    assert len(near) > 3 * len(far)


def test_the_state_does_not_give_the_action_away() -> None:
    starts = [next(play(np.random.default_rng(seed), 1, 0)).world for seed in range(400)]
    actions = [expert(world) for world in starts]
    state = np.array([(each.x, each.z, each.rotation, each.legos_remaining) for each in starts])
    doing = np.array([(each.steering, each.throttle, each.bucket, each.lift) for each in actions])
    related = np.corrcoef(state.T, doing.T)[:4, 4:]
    assert np.abs(related).max() < 0.2


def test_every_channel_is_used_and_in_range() -> None:
    moments = [moment for seed in range(12) for moment in play(np.random.default_rng(seed), 50, 0)]
    actions = np.array(
        [(m.action.steering, m.action.throttle, m.action.bucket, m.action.lift) for m in moments]
    )
    assert np.abs(actions).max() <= 1
    assert (actions.std(axis=0) > 0.2).all()
    assert len({moment.world.legos_remaining for moment in moments}) > 3


def test_a_loaded_block_is_counted_and_the_next_one_comes_into_view() -> None:
    moments = list(play(np.random.default_rng(1), 300, 0))
    blocks = list(dict.fromkeys(moment.world.block for moment in moments))
    assert len(blocks) > 1
    lost = moments[0].world.legos_remaining - moments[-1].world.legos_remaining
    assert lost in {len(blocks) - 1, len(blocks)}


def test_what_is_behind_the_camera_is_not_drawn() -> None:
    ahead, behind = in_sight(0.0, 3.0), in_sight(np.pi, 3.0)
    assert len(block_pixels(ahead))
    assert not len(block_pixels(behind))
    assert not len(block_pixels(replace(ahead, swing=np.pi)))
