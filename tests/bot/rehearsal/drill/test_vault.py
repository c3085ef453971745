"""A play's bucket: the same in a folder and in an embedded GCS."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rehearsal.drill import vault as vaults
from bot.rehearsal.drill.theatre import SIZES
from bot.rehearsal.drill.vault import Vault, store_of, witness
from bot.rehearsal.stage import Stage
from bot.shell.bucket.errors import Unavailable
from bot.shell.bucket.gcs import GcsStore
from bot.shell.bucket.patience import Policy
from bot.shell.bucket.wire import Pace, Wire

DICE = random.Random(0)  # noqa: S311  repeatable, not secret
HASTE = Pace(policy=Policy(base_s=0.001, cap_s=0.002, attempts=3, idle_s=5), stall_s=0.2, small_s=0.2)
BEST = "checkpoints/act_best/pretrained_model/model.safetensors"


@pytest.fixture(params=["folder", "gcs"])
async def vault(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Vault]:
    stage = Stage(tmp_path, SIZES)
    place = tmp_path / "disk" / "bucket"
    for name, content in {BEST: b"1", "ssot/PLAN.md": b"# PLAN"}.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    stage.bucket.symlink_to(place)
    async with vaults.opened(request.param, stage, DICE) as opened:
        yield opened


async def test_what_lies_in_it_is_known_whether_it_can_be_reached_or_not(vault: Vault) -> None:
    assert sorted(vault.names()) == [BEST, "ssot/PLAN.md"]
    vault.take_away()
    assert sorted(vault.names()) == [BEST, "ssot/PLAN.md"]
    vault.bring_back()
    assert sorted(vault.names()) == [BEST, "ssot/PLAN.md"]


async def test_what_a_message_names_is_looked_for(vault: Vault) -> None:
    named = ("checkpoints/act_best/", "checkpoints/act_epoch_005/.", "ssot/PLAN.md")
    said = " ".join(f"{vault.url}/{path}" for path in named)
    assert list(witness(vault, said).values()) == [True, False, True]
    assert witness(vault, "nothing") == {}


async def test_who_comes_while_it_is_away_is_told_so(vault: Vault) -> None:
    store = GcsStore(Wire("drill", HASTE, vault.address)) if vault.address else store_of(vault)
    try:
        assert (await store.get_bytes("ssot/PLAN.md"))[0] == b"# PLAN"
        vault.take_away()
        with pytest.raises(Unavailable):
            await store.get_bytes("ssot/PLAN.md")
        vault.bring_back()
        assert (await store.get_bytes("ssot/PLAN.md"))[0] == b"# PLAN"
    finally:
        await store.close()


async def test_weights_are_told_apart_by_their_bytes(vault: Vault) -> None:
    before = dict(vault.weights())
    assert list(before) == ["act_best/pretrained_model/model.safetensors"]
    store = store_of(vault)
    await store.put_bytes(BEST, b"2")
    await store.close()
    assert vault.weights() != before
