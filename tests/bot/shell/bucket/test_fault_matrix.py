"""Every kind of request meets every kind of fault: it ends equal, or with one explicit error."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from gcloud.aio.auth import Token
from gcloud.aio.auth.token import TokenResponse

from bot.rehearsal.gcs import Errand, FakeGcs, Trouble
from bot.shell.bucket import ObjectStore
from bot.shell.bucket.errors import Unavailable
from bot.shell.bucket.gcs import GcsStore
from bot.shell.bucket.wire import Wire

from .chaos_proxy import ChaosProxy, Fate, chaos_before
from .workbench import HASTE, GcsBench, fake_gcs, files_in

LARGE = bytes(range(256)) * 2800  # 700 KiB: three chunks
BEFORE = {"checkpoints/old": LARGE, "dataset/a": b"small", "dataset/b": LARGE}

type Doing = Callable[[ObjectStore, Path], Awaitable[dict[str, bytes]]]
"""Does one thing, asserts what it is answered, and answers what the bucket holds from now on."""


async def listing(store: ObjectStore, _: Path) -> dict[str, bytes]:
    assert [each.name async for each in store.list("dataset/")] == ["dataset/a", "dataset/b"]
    return BEFORE


async def looking_up(store: ObjectStore, _: Path) -> dict[str, bytes]:
    found = await store.stat("dataset/a")
    assert found is not None
    assert found.size == 5
    return BEFORE


async def reading(store: ObjectStore, _: Path) -> dict[str, bytes]:
    assert (await store.get_bytes("dataset/b"))[0] == LARGE
    return BEFORE


async def fetching(store: ObjectStore, folder: Path) -> dict[str, bytes]:
    await store.get_file("dataset/b", folder / "b")
    assert files_in(folder) == {"b": LARGE}
    return BEFORE


async def writing(store: ObjectStore, _: Path) -> dict[str, bytes]:
    await store.put_bytes("checkpoints/new", b"small", if_generation=0)
    return BEFORE | {"checkpoints/new": b"small"}


async def sending(store: ObjectStore, folder: Path) -> dict[str, bytes]:
    (folder / "model").write_bytes(LARGE)
    await store.put_file("checkpoints/new", folder / "model", if_generation=0)
    return BEFORE | {"checkpoints/new": LARGE}


async def copying(store: ObjectStore, _: Path) -> dict[str, bytes]:
    await store.copy("checkpoints/old", "checkpoints/new", if_generation=0)
    return BEFORE | {"checkpoints/new": LARGE}


async def deleting(store: ObjectStore, _: Path) -> dict[str, bytes]:
    await store.delete("checkpoints/old")
    return {name: data for name, data in BEFORE.items() if name != "checkpoints/old"}


async def asking(store: ObjectStore, _: Path) -> dict[str, bytes]:
    assert await store.may(["storage.objects.get", "storage.objects.create"]) == {"storage.objects.get"}
    return BEFORE


REQUESTS: dict[Errand, Doing] = {
    "list": listing,
    "stat": looking_up,
    "read": fetching,
    "write": writing,
    "begin": sending,
    "chunk": sending,
    "copy": copying,
    "delete": deleting,
    "ask": asking,
}
DOINGS: tuple[Doing, ...] = (
    listing, looking_up, reading, fetching, writing, sending, copying, deleting, asking
)  # fmt: skip
WIRE_FAULTS = {
    "reset before the request": Fate("reset", "up"),
    "reset within the request": Fate("reset", "up", 400),
    "answer lost": Fate("reset", "down"),
    "answer cut short": Fate("cut", "down", 40),
    "body cut short": Fate("cut", "down", 400),
    "request stalled": Fate("stall", "up", 100),
    "answer stalled": Fate("stall", "down", 40),
    "slow up": Fate("slow", "up", 4 << 20),
    "slow down": Fate("slow", "down", 4 << 20),
}


def fill(fake: FakeGcs) -> None:
    for name, data in BEFORE.items():
        fake.put(name, data)


@pytest.fixture
async def chaos() -> AsyncIterator[tuple[GcsBench, ChaosProxy]]:
    """A bucket, and all its bytes pass the proxy."""
    async with fake_gcs() as fake, chaos_before(fake.address) as proxy:
        fake.address = proxy.address
        fill(fake)
        bench = GcsBench(fake)
        yield bench, proxy
        await bench.store.close()


@pytest.mark.parametrize("doing", DOINGS, ids=lambda doing: doing.__name__)
@pytest.mark.parametrize("fault", WIRE_FAULTS)
async def test_each_request_outlives_each_fault_of_the_wire(
    chaos: tuple[GcsBench, ChaosProxy], tmp_path: Path, doing: Doing, fault: str
) -> None:
    bench, proxy = chaos
    proxy.armed = [WIRE_FAULTS[fault]]
    assert await doing(bench.store, tmp_path) == bench.contents()
    assert proxy.fired == 1


@pytest.mark.parametrize("errand", REQUESTS)
@pytest.mark.parametrize("how", [408, 429, 500, 502, 503, 504, "reset", "lost"])
async def test_each_request_outlives_each_passing_refusal(
    gcs: GcsBench, tmp_path: Path, errand: Errand, how: int
) -> None:
    fill(gcs.fake)
    gcs.fake.troubles = [Trouble(errand, how, times=2)]
    assert await REQUESTS[errand](gcs.store, tmp_path) == gcs.contents()
    assert not gcs.fake.troubles[0].times


@pytest.mark.parametrize("errand", REQUESTS)
async def test_each_request_that_never_passes_ends_in_one_line(
    gcs: GcsBench, tmp_path: Path, errand: Errand
) -> None:
    fill(gcs.fake)
    gcs.fake.troubles = [Trouble(errand, 503, times=99)]
    with pytest.raises(Unavailable) as refusal:
        await REQUESTS[errand](gcs.store, tmp_path)
    assert "\n" not in str(refusal.value)
    assert gcs.contents() == BEFORE
    assert not [name for name in files_in(tmp_path) if name.startswith(".~")]


class Rotating(Token):
    """Gets whatever token the fake takes at the moment."""

    fake: FakeGcs

    async def refresh(self, *, timeout: int) -> TokenResponse:  # noqa: ARG002, ASYNC109 - the library's
        return TokenResponse(value=self.fake.token, expires_in=3600)


@pytest.mark.parametrize("errand", REQUESTS)
async def test_an_expired_token_is_renewed_at_each_request(tmp_path: Path, errand: Errand) -> None:
    async with fake_gcs() as fake:
        fill(fake)
        wire = Wire(fake.bucket, HASTE, fake.address)
        wire._anonymous = False
        wire.storage.token = token = Rotating(session=wire.storage.session.session, scopes=["any"])
        token.fake, fake.token = fake, "first"
        store = GcsStore(wire)
        await store.stat("dataset/a")
        fake.token = "second"  # the first has expired, and we do not know
        expected = await REQUESTS[errand](store, tmp_path)
        assert {name: each.data for name, each in fake.objects.items()} == expected
        await store.close()
