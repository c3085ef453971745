"""What this machine may do with the bucket, found out without touching anything of anybody's."""

from bot.rehearsal.gcs import Trouble
from bot.shell.bucket.probing import Finding, probe

from .workbench import Bench, GcsBench


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
