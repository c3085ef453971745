"""Messages a second through the language: rendered, read back, and read from peers.

.venv/bin/python benches/bench_protocol.py
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from protocol import check, join, parse, recipients_of, render
from protocol.messages import Answer, Blocked, Done, GpuMemory, LessonOutcome, Said, TrainingReport
from protocol.roster import CARD_IDS, Peer

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MESSAGES: dict[str, Said] = {
    "progress REPORT": TrainingReport(
        ref="c7.1",
        epoch=150,
        epochs=500,
        loss=0.0234,
        first_loss=0.158,
        lr=1e-4,
        gpu=GpuMemory(used_gb=28.5, total_gb=40),
        now=NOW,
        eta=NOW + timedelta(hours=2),
        checkpoint="gs://ralphton-handoff/checkpoints/act_epoch_150/",
    ),
    "DONE, 3 lessons": Done(
        ref="c7.2",
        cycle=7,
        lessons=(LessonOutcome(mark="applied", text="batch_size 32로 축소", outcome="OOM 해결"),) * 3,
        final_loss=0.0089,
        best="gs://ralphton-handoff/checkpoints/cycle07/act_best/",
    ),
    "BLOCKED, 3 parts": Blocked(
        ref="c7.3",
        cause="data",
        problems=tuple(
            f"episode_{n:03d}의 프레임 수 불일치 (비디오 300프레임, 액션 298프레임)" for n in range(80)
        ),
        request="Developer에게 재생성 요청",
    ),
    "answer, 20,000 characters": Answer(to=(CARD_IDS[Peer.WATCHER],), body="한 줄의 답\n" * 2_900),
}
HEARD = {
    "HANDOFF": "<@1477243247956066414> [HANDOFF] 데이터 생성 완료.\nCycle: 7\n데이터: gs://ralphton-handoff/dataset/\n"
    "에피소드 수: 85개",
    "HANDOFF with lessons": "<@1477243247956066414> [HANDOFF] Cycle 8 시작.\n레슨런:\n"
    + "- [학습] batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생\n  → 적용: batch_size=32\n" * 5,
    "consent in plain words": "<@1477243247956066414> 네, 제안하신 대로 1번은 승인합니다. 2번은 보류합니다.",
    "talk": "<@1477243247956066414> 지금 학습 상태가 어떤가요? 언제 끝나나요?",
    "20,000 characters": "<@1477243247956066414> " + "오늘도 좋은 하루 되세요, 학습은 잘 되고 있나요. " * 750,
}


def rate(work: Callable[[], object], budget_s: float = 0.5) -> float:
    """Calls a second, over about `budget_s` of processor time."""
    work()
    calls, began = 0, time.process_time()
    while (spent_s := time.process_time() - began) < budget_s:
        work()
        calls += 1
    return calls / spent_s


def main() -> None:
    print(f"{'said':28}{'render+gate/s':>15}{'read back/s':>15}")
    for name, message in MESSAGES.items():
        text = join(render(message))
        rendered = rate(lambda said=message: check(render(said), recipients_of(said)))
        print(f"{name:28}{rendered:15,.0f}{rate(lambda text=text: parse(text)):15,.0f}")
    print(f"\n{'heard':28}{'read/s':>15}")
    for name, text in HEARD.items():
        print(f"{name:28}{rate(lambda text=text: parse(text)):15,.0f}")


if __name__ == "__main__":
    main()
