"""What this machine may do with the bucket, found out without touching anything of anybody's."""

import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.rehearsal.gcs import Trouble
from bot.shell.bucket import open_bucket
from bot.shell.bucket.errors import StoreError
from bot.shell.bucket.gcs import GcsStore
from bot.shell.bucket.probing import Finding, probe
from bot.shell.bucket.wire import Wire

from .workbench import HASTE, Bench, GcsBench


def verdicts(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {each.what: each.verdict for each in findings}


async def test_a_probe_leaves_nothing_behind(bench: Bench) -> None:
    for name in ("dataset/a", "ssot/PLAN.md"):
        bench.seed(name, b"1")
    before = bench.contents()
    found = verdicts(await probe(bench.store, "ralphton-a100"))
    assert (found["read dataset/"], found["read lessons/"]) == ("fine", "warning")
    assert found["write checkpoints/"] == "fine"
    assert bench.contents() == before


async def test_an_account_that_may_do_too_much_is_warned_of(gcs: GcsBench) -> None:
    gcs.seed("ssot/PLAN.md", b"plan")
    assert verdicts(await probe(gcs.store))["ssot/ is safe from us"] == "fine"
    gcs.fake.granted.add("storage.objects.create")
    *_, last = await probe(gcs.store)
    assert last.verdict == "warning"
    assert "storage.objects.create on the whole bucket" in last.said


async def test_every_refusal_is_a_finding_with_the_next_step(gcs: GcsBench) -> None:
    gcs.fake.troubles = [Trouble("list", 403, 3), Trouble("write", 403), Trouble("ask", 503, 99)]
    found = await probe(gcs.store)
    assert {each.verdict for each in found} == {"fault"}
    assert "roles/storage.objectViewer" in found[0].said
    assert "roles/storage.objectUser" in found[3].said
    assert all("\n" not in each.said for each in found)


async def test_without_credentials_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five that say the same would hide what else is to be done."""
    key = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"}
    (tmp_path / "key.json").write_text(json.dumps(key | {"token_uri": "http://127.0.0.1:1"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    store = GcsStore(Wire("ours", HASTE))
    try:
        (found,) = await probe(store)
    finally:
        await store.close()
    assert (found.what, found.verdict) == ("read and write", "fault")
    assert "no Google credentials" in found.said


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("not JSON", "is no key file"),
        ('{"type": "card"}', "is no key file"),
        ("[]", "is no key file"),
        ('{"type": "service_account", "private_key": "k"}', "has no client_email, which"),
        ('{"type": "service_account", "private_key": "", "client_email": "e"}', "has no private_key, which"),
        (
            '{"type": "service_account", "private_key": "---BEGIN PRIVATE KEY---", "client_email": "e"}',
            "has a private_key that is none in PEM; download",
        ),
        ('{"type": "authorized_user", "client_id": "i"}', "has no client_secret, refresh_token, which"),
        (
            '{"type": "external_account", "audience": "a"}',
            "has no credential_source, subject_token_type, token_",
        ),
        ('{"type": "impersonated_service_account"}', "has no service_account_impersonation_url, source_cred"),
    ],
)
async def test_a_key_file_that_is_none_is_named(
    key: str | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client library would go by the machine's own account, or end in its own words."""
    if key is not None:
        (tmp_path / "key.json").write_text(key)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    with pytest.raises(StoreError, match=re.escape(f"{tmp_path / 'key.json'} {why}")):
        open_bucket("gs://ours")


async def test_a_service_account_s_key_file_opens_its_bucket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = rsa.generate_private_key(65537, 2048)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    key = {"type": "service_account", "client_email": "training@ours", "private_key": pem}
    (tmp_path / "key.json").write_text(json.dumps(key))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    await open_bucket("gs://ours").close()
