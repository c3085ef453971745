"""What GCS, the network and the disk do to us, and that nothing is lost or damaged by it."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientResponseError, RequestInfo
from gcloud.aio.auth import Token
from gcloud.aio.auth.token import TokenResponse
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from bot.rehearsal.gcs import Trouble
from bot.shell.bucket import fetch_dataset, open_bucket
from bot.shell.bucket.errors import AccessDenied, BadName, IntegrityError, NotFound, StoreError, Unavailable
from bot.shell.bucket.patience import Policy, persist
from bot.shell.bucket.wire import Wire

from .workbench import HASTE, GcsBench, files_in

LARGE = bytes(range(256)) * 2800  # 700 KiB: three chunks
PASSING = [408, 429, 500, 502, 503, 504, "reset"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(LARGE)
    return path


class TestDownloads:
    @pytest.mark.parametrize("how", [*PASSING, "cut", "flip", "stall"])
    async def test_one_bad_day_is_survived(self, gcs: GcsBench, tmp_path: Path, how: str) -> None:
        gcs.seed("dataset/a", LARGE)
        gcs.fake.troubles = [Trouble("read", how)]  # pyright: ignore[reportArgumentType] - one of the literals
        await gcs.store.get_file("dataset/a", tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == LARGE

    async def test_a_cut_download_goes_on_where_it_broke(self, gcs: GcsBench, tmp_path: Path) -> None:
        gcs.seed("dataset/a", LARGE)
        gcs.fake.troubles = [Trouble("read", "cut", times=9)]  # more often than patience without progress
        told: list[int] = []
        await gcs.store.get_file("dataset/a", tmp_path / "a", progress=lambda done, _: told.append(done))
        assert (tmp_path / "a").read_bytes() == LARGE
        assert told == sorted(told)

    async def test_a_server_that_ignores_ranges_is_read_from_the_start(
        self, gcs: GcsBench, tmp_path: Path
    ) -> None:
        gcs.seed("dataset/a", LARGE)
        gcs.fake.troubles = [Trouble("read", "cut"), Trouble("read", "whole")]
        await gcs.store.get_file("dataset/a", tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == LARGE

    async def test_damage_every_time_is_an_error_and_keeps_the_former_file(
        self, gcs: GcsBench, tmp_path: Path
    ) -> None:
        gcs.seed("dataset/a", LARGE)
        (tmp_path / "a").write_bytes(b"former")
        gcs.fake.troubles = [Trouble("read", "flip", times=99)]
        with pytest.raises(IntegrityError, match="damaged"):
            await gcs.store.get_file("dataset/a", tmp_path / "a")
        with pytest.raises(IntegrityError, match="damaged"):
            await gcs.store.get_bytes("dataset/a")
        assert (tmp_path / "a").read_bytes() == b"former"

    async def test_a_server_that_stays_away_is_given_up_in_one_line(
        self, gcs: GcsBench, tmp_path: Path
    ) -> None:
        gcs.seed("dataset/a", LARGE)
        gcs.fake.troubles = [Trouble("read", 503, times=99)]
        with pytest.raises(
            Unavailable, match="read dataset/a in gs://ours: given up after 4 tries"
        ) as refusal:
            await gcs.store.get_file("dataset/a", tmp_path / "a")
        assert "\n" not in str(refusal.value)

    async def test_every_page_of_a_listing_is_asked_for_again_by_itself(self, gcs: GcsBench) -> None:
        for number in range(7):
            gcs.seed(f"dataset/{number}", b"")
        gcs.fake.troubles = [Trouble("list", 503, times=3)]
        assert len([each async for each in gcs.store.list("dataset/")]) == 7

    @pytest.mark.parametrize("name", ["dataset/../../etc/cron.d/x", "dataset//x", "dataset/a\\b"])
    async def test_a_listing_that_names_a_way_out_is_refused(
        self, gcs: GcsBench, tmp_path: Path, name: str
    ) -> None:
        gcs.seed("dataset/fine", b"1")
        gcs.seed(name, b"2")
        with pytest.raises(BadName):
            await fetch_dataset(gcs.store, "dataset/", tmp_path / "data")
        assert files_in(tmp_path) == {}

    async def test_the_consoles_folder_placeholder_is_no_object(self, gcs: GcsBench, tmp_path: Path) -> None:
        gcs.seed("dataset/", b"")
        gcs.seed("dataset/a", b"1")
        assert (await fetch_dataset(gcs.store, "dataset/", tmp_path / "data")).files == 1


class TestUploads:
    @pytest.mark.parametrize("how", [*PASSING, "lost", "cut", "flip", "forget", "stall", "garble"])
    async def test_a_bad_day_in_mid_upload_is_survived(self, gcs: GcsBench, source: Path, how: str) -> None:
        gcs.fake.troubles = [Trouble("chunk", how)]  # pyright: ignore[reportArgumentType] - one of the literals
        await gcs.store.put_file("checkpoints/model", source, if_generation=0)
        assert gcs.contents() == {"checkpoints/model": LARGE}

    @pytest.mark.parametrize("errand", ["begin", "write", "stat"])
    @pytest.mark.parametrize("how", [503, "reset", "garble"])
    async def test_a_bad_day_around_an_upload_is_survived(
        self, gcs: GcsBench, source: Path, errand: str, how: str
    ) -> None:
        gcs.fake.troubles = [Trouble(errand, how)]  # pyright: ignore[reportArgumentType] - of the literals
        await gcs.store.put_file("checkpoints/model", source)
        await gcs.store.put_bytes("checkpoints/small", b"1")
        assert gcs.contents() == {"checkpoints/model": LARGE, "checkpoints/small": b"1"}

    async def test_answers_that_say_nothing_are_given_up_in_one_line(
        self, gcs: GcsBench, source: Path
    ) -> None:
        gcs.fake.troubles = [Trouble("begin", "garble", times=99)]
        with pytest.raises(Unavailable, match="its answer does not say where"):
            await gcs.store.put_file("checkpoints/model", source)
        gcs.fake.troubles = [Trouble("chunk", "garble", times=99)]
        with pytest.raises(Unavailable, match="an upload's answer says Range: bytes=some"):
            await gcs.store.put_file("checkpoints/model", source)

    async def test_what_has_arrived_is_not_sent_again(self, gcs: GcsBench, source: Path) -> None:
        gcs.fake.troubles = [Trouble("chunk", "lost", times=2)]
        await gcs.store.put_file("checkpoints/model", source)
        assert gcs.fake.received_bytes == len(LARGE)

    async def test_a_write_that_won_though_its_answer_was_lost_is_no_conflict(self, gcs: GcsBench) -> None:
        gcs.fake.troubles = [Trouble("write", "lost")]
        await gcs.store.put_bytes("checkpoints/a", b"1", if_generation=0)
        assert gcs.contents() == {"checkpoints/a": b"1"}

    async def test_a_copy_that_won_though_its_answer_was_lost_is_no_conflict(self, gcs: GcsBench) -> None:
        gcs.seed("checkpoints/a", b"1")
        gcs.fake.troubles = [Trouble("copy", "lost")]
        await gcs.store.copy("checkpoints/a", "checkpoints/b", if_generation=0)
        assert gcs.contents("checkpoints/b") == {"checkpoints/b": b"1"}

    async def test_damaged_bytes_are_never_stored(self, gcs: GcsBench, source: Path) -> None:
        gcs.fake.troubles = [Trouble("chunk", "flip", times=99), Trouble("write", "flip", times=99)]
        with pytest.raises(IntegrityError):
            await gcs.store.put_file("checkpoints/model", source)
        with pytest.raises(IntegrityError):
            await gcs.store.put_bytes("checkpoints/small", b"1")
        assert gcs.contents() == {}

    async def test_a_delete_that_is_repeated_is_done(self, gcs: GcsBench) -> None:
        gcs.seed("checkpoints/a", b"1")
        gcs.fake.troubles = [Trouble("delete", "lost")]
        await gcs.store.delete("checkpoints/a")
        assert gcs.contents() == {}


class TestRefusals:
    async def test_a_missing_role_is_named(self, gcs: GcsBench) -> None:
        gcs.seed("dataset/a", b"1")
        gcs.fake.troubles = [Trouble("read", 403), Trouble("write", 403)]
        with pytest.raises(AccessDenied, match=r"roles/storage.objectViewer"):
            await gcs.store.get_bytes("dataset/a")
        with pytest.raises(AccessDenied, match=r"roles/storage.objectUser"):
            await gcs.store.put_bytes("checkpoints/a", b"1")

    async def test_a_bucket_that_is_not_there_is_not_found(self, gcs: GcsBench) -> None:
        gcs.fake.troubles = [Trouble("list", 404)]
        with pytest.raises(NotFound, match="gs://ours"):
            await gcs.store.list_dirs("checkpoints/")

    async def test_a_refused_token_is_renewed_once(self) -> None:
        info = RequestInfo(URL("http://127.0.0.1/"), "GET", CIMultiDictProxy(CIMultiDict()), URL())
        renewed: list[bool] = []

        async def refused() -> None:
            raise ClientResponseError(info, (), status=401, message="Unauthorized: expired")

        with pytest.raises(AccessDenied):
            await persist("read a", refused, Policy(base_s=0), renew=lambda: renewed.append(True))
        assert renewed == [True]


class TestPolicy:
    def test_the_delay_grows_to_its_cap_and_no_further(self) -> None:
        policy = Policy(base_s=1, cap_s=32)
        assert all(0 <= policy.delay_s(failures) <= min(32, 2 ** (failures - 1)) for failures in range(1, 30))

    def test_the_servers_own_delay_goes_first_up_to_the_cap(self) -> None:
        policy = Policy(cap_s=32)
        assert (policy.delay_s(1, "7"), policy.delay_s(1, "900")) == (7, 32)


class TestOpening:
    async def test_a_stray_emulator_variable_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
        with pytest.raises(StoreError, match="unset it"):
            open_bucket("gs://ralphton-handoff")

    async def test_an_emulator_named_outright_is_used(self, gcs: GcsBench) -> None:
        gcs.seed("ssot/PLAN.md", b"plan")
        store = open_bucket("gs://ours", emulator=gcs.fake.address)
        try:
            assert (await store.get_bytes("ssot/PLAN.md"))[0] == b"plan"
        finally:
            await store.close()

    async def test_production_goes_to_google_with_credentials_and_tls(self) -> None:
        wire = Wire("ralphton-handoff", HASTE)
        assert wire.storage._api_root_read == "https://storage.googleapis.com/storage/v1/b"
        assert not wire.storage._api_is_dev
        assert wire.storage.session._ssl
        await wire.close()

    async def test_a_missing_folder_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(NotFound, match="nowhere is no folder"):
            open_bucket((tmp_path / "nowhere").as_uri())


class TestCredentials:
    async def test_one_caller_giving_up_does_not_stop_the_others(self) -> None:
        wire = Wire("ours", HASTE, "http://127.0.0.1:1")
        wire._anonymous = False
        release = asyncio.Event()

        class SlowToken(Token):
            async def refresh(self, *, timeout: int) -> TokenResponse:  # noqa: ARG002, ASYNC109 - the library's
                await release.wait()
                return TokenResponse(value="abc", expires_in=3600)

        wire.storage.token = SlowToken(session=wire.storage.session.session, scopes=["any"])
        impatient, patient = asyncio.create_task(wire.headers()), asyncio.create_task(wire.headers())
        await asyncio.sleep(0)
        impatient.cancel()
        release.set()
        assert await patient == {"Authorization": "Bearer abc"}
        await wire.close()
