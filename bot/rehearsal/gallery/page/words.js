// What the page itself says, in the reader's language. The channel speaks Korean.
"use strict";

const LANGUAGE = navigator.language.startsWith("ko") ? "ko" : "en";

const SAYINGS = {
  en: {
    channel: "The channel", clocks: "clocks: {zone}", newest: "↓ newest", cancel: "cancel", speaker: "Speak as", message: "Message", send: "Send",
    tracks: "What is going on", curve: "Loss", channels: "L1 by action", verdict: "The verdict",
    data: "data", device: "device", terms: "config", run: "learning",
    reply: "reply", replying: "Replying to", edited: "(edited)", epoch: "epoch", nothing: "nothing yet",
    unheard: "Nobody was notified: without a <@ID> mention this message does not exist for Training.",
    again: "say it again with {training}", mention: "@Training",
    notOperator: "Only operators may give ! commands; choose operator as the speaker.",
    stranger: "Training listens to the five peers and to operators, to nobody else.",
    live: "live", lost: "the rehearsal has ended, or this page lost it",
    passed: "PASSED", failed: "Not all of it took place",
    prompt: "Say something to Training (Enter sends, Shift+Enter breaks the line, / comes here)",
    checkpoint: "checkpoint", best: "best", loss: "loss", l1: "L1",
  },
  ko: {
    channel: "채널", clocks: "시각: {zone}", newest: "↓ 최신", cancel: "취소", speaker: "말하는 사람", message: "메시지", send: "보내기",
    tracks: "지금 하는 일", curve: "Loss", channels: "행동별 L1", verdict: "판정",
    data: "데이터", device: "장치", terms: "설정", run: "학습",
    reply: "답장", replying: "답장:", edited: "(수정됨)", epoch: "epoch", nothing: "아직 없음",
    unheard: "아무도 알림을 받지 못했습니다: <@ID> 멘션이 없으면 Training에게는 없는 메시지입니다.",
    again: "{training}을 붙여 다시 말하기", mention: "@Training",
    notOperator: "! 명령은 operator만 내릴 수 있습니다. 말하는 사람을 operator로 바꾸세요.",
    stranger: "Training은 다섯 봇과 operator의 말만 듣습니다.",
    live: "실시간", lost: "리허설이 끝났거나 연결이 끊겼습니다",
    passed: "통과 (PASSED)", failed: "모든 장면이 이루어지지는 않았습니다",
    prompt: "Training에게 말하기 (Enter 전송, Shift+Enter 줄바꿈, / 이곳으로)",
    checkpoint: "checkpoint", best: "best", loss: "loss", l1: "L1",
  },
};

const say = (name) => SAYINGS[LANGUAGE][name] ?? name;

// What a message is about, by its first line, for who reads no Korean. The first that fits counts.
const GISTS = [
  [/\[REPORT\] ACT 학습 진행/, "How far the training is: epoch, loss, learning rate, memory, when it will be done"],
  [/\[REPORT\] 학습 시작/, "Training begins: what was admitted, and what differs from the usual config"],
  [/\[REPORT\] 설정 변경 사전 보고/, "Every change of the config, told before the start"],
  [/\[REPORT\] 설정 변경 승인 요청/, "A change that was inferred, not ordered: it waits for Watcher's yes or no"],
  [/\[REPORT\] Cycle \d+ 학습 중단/, "A cycle was stopped: by whom, and what is left of it"],
  [/\[REPORT\] 레슨런 발견/, "Something new was learned about data or training: problem, cause, remedy"],
  [/\[REPORT\] 재시작 알림/, "It stopped and goes on: why, and from which checkpoint"],
  [/\[REPORT\]/, "What is being done just now, or waited for"],
  [/\[HANDOFF\] ACT 학습 완료/, "The best checkpoint is handed to Evaluation"],
  [/\[HANDOFF\]/, "A new cycle, or a data set that is ready"],
  [/\[DONE\]/, "The cycle is over, and what became of every lesson"],
  [/\[BLOCKED\]/, "It cannot go on: the problem, and who has to do what"],
  [/\[(RECEIPT|접수)\]/, "It was heard: what was understood, and what comes next"],
  [/\[(QUESTION|질문)\]/, "It did not understand, or is not sure: how to answer"],
  [/\[(ANSWER|답변)\]/, "The answer to what was asked"],
  [/\[ALERT\]/, "Operators are needed"],
  [/\[(APPROVE|승인)\]/, "Yes to the proposal of this number"],
  [/\[(REJECT|반려)\]/, "No to the proposal of this number"],
  [/\[(LESSON|LESSONS|레슨런)\]/, "What earlier cycles taught"],
];

// What one might say, by speaker. {hash} is the newest open proposal's, {training} the mention of Training,
// {episodes} how many there are.
const EXAMPLES = {
  Watcher: [
    [{ en: "approve", ko: "승인" }, "{training} [APPROVE] {hash}"],
    [{ en: "reject", ko: "반려" }, "{training} [REJECT] {hash} 이번 cycle에는 보류"],
    [{ en: "yes to 1, not yet to 2", ko: "1번은 승인, 2번은 보류" }, "{training} 1번은 승인, 2번은 보류"],
    [{ en: "a lesson", ko: "레슨런" }, "{training} [LESSON]\n- [학습] loss가 발산함\n  → 적용: lr=5e-5"],
    [{ en: "stop", ko: "중지" }, "{training} [STOP]"],
    [{ en: "resume", ko: "재개" }, "{training} [RESUME]"],
    [{ en: "a question", ko: "질문" }, "{training} 지금 몇 epoch이야?"],
    [{ en: "without a mention", ko: "멘션 없이" }, "@Training 지금 몇 epoch이야?"],
  ],
  Developer: [
    ["HANDOFF", "{training} [HANDOFF] 데이터 생성 완료.\n데이터: dataset/\n에피소드 수: {episodes}개"],
    [{ en: "a wrong number", ko: "틀린 에피소드 수" }, "{training} [HANDOFF] 데이터 생성 완료.\n데이터: dataset/\n에피소드 수: 7개"],
    [{ en: "a question", ko: "질문" }, "{training} 데이터 검증은 어떻게 됐어?"],
  ],
  operator: [["!status", "!status"], ["!lessons", "!lessons"], ["!config", "!config"], ["!checkpoints", "!checkpoints"],
    ["!logs 5", "!logs 5"], ["!stop", "!stop"], ["!resume", "!resume"], ["!help", "!help"]],
  Evaluation: [[{ en: "a question", ko: "질문" }, "{training} best checkpoint 경로가 어디야?"]],
  DomainExpert: [[{ en: "a question", ko: "질문" }, "{training} 학습은 잘 되고 있어?"]],
  stranger: [["!status", "!status"]],
};
