// What the page itself says, in the reader's language. The channel speaks Korean.
"use strict";

const LANGUAGE = navigator.language.startsWith("ko") ? "ko" : "en";

const SAYINGS = {
  en: {
    channel: "The channel", newest: "↓ newest", cancel: "cancel", speaker: "Speak as", message: "Message", send: "Send",
    tracks: "What is going on", curve: "Loss", channels: "L1 by action", verdict: "The verdict",
    data: "data", device: "device", terms: "config", run: "learning",
    reply: "reply", replying: "Replying to", edited: "(edited)", epoch: "epoch", nothing: "nothing yet",
    unheard: "Nobody was notified: without a <@ID> mention this message does not exist for Training.",
    live: "live", lost: "the rehearsal has ended, or this page lost it",
    passed: "PASSED", failed: "Not all of it took place",
    prompt: "Say something to Training (Enter sends, Shift+Enter breaks the line, / comes here)",
    checkpoint: "checkpoint", best: "best", loss: "loss", l1: "L1",
  },
  ko: {
    channel: "채널", newest: "↓ 최신", cancel: "취소", speaker: "말하는 사람", message: "메시지", send: "보내기",
    tracks: "지금 하는 일", curve: "Loss", channels: "행동별 L1", verdict: "판정",
    data: "데이터", device: "장치", terms: "설정", run: "학습",
    reply: "답장", replying: "답장:", edited: "(수정됨)", epoch: "epoch", nothing: "아직 없음",
    unheard: "아무도 알림을 받지 못했습니다: <@ID> 멘션이 없으면 Training에게는 없는 메시지입니다.",
    live: "실시간", lost: "리허설이 끝났거나 연결이 끊겼습니다",
    passed: "통과 (PASSED)", failed: "모든 장면이 이루어지지는 않았습니다",
    prompt: "Training에게 말하기 (Enter 전송, Shift+Enter 줄바꿈, / 이곳으로)",
    checkpoint: "checkpoint", best: "best", loss: "loss", l1: "L1",
  },
};

const say = (name) => SAYINGS[LANGUAGE][name] ?? name;

// What one might say, by speaker. {hash} is the newest open proposal's, {training} the mention of Training.
const EXAMPLES = {
  Watcher: [
    ["승인", "{training} [APPROVE] {hash}"],
    ["반려", "{training} [REJECT] {hash} 이번 cycle에는 보류"],
    ["1번은 승인, 2번은 보류", "{training} 1번은 승인, 2번은 보류"],
    ["레슨런", "{training} [LESSON]\n- [학습] loss가 발산함\n  → 적용: lr=5e-5"],
    ["stop", "{training} [STOP]"],
    ["resume", "{training} [RESUME]"],
    ["질문", "{training} 지금 몇 epoch이야?"],
    ["멘션 없이", "@Training 지금 몇 epoch이야?"],
  ],
  Developer: [
    ["HANDOFF", "{training} [HANDOFF] 데이터 생성 완료.\n데이터: dataset/\n에피소드 수: 50개"],
    ["질문", "{training} 데이터 검증은 어떻게 됐어?"],
  ],
  operator: [["!status", "!status"], ["!lessons", "!lessons"], ["!config", "!config"], ["!checkpoints", "!checkpoints"],
    ["!logs 5", "!logs 5"], ["!stop", "!stop"], ["!resume", "!resume"], ["!help", "!help"]],
  Evaluation: [["질문", "{training} best checkpoint 경로가 어디야?"]],
  DomainExpert: [["질문", "{training} 학습은 잘 되고 있어?"]],
  stranger: [["!status", "!status"]],
};
