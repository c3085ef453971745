// What comes in is shown; what is typed is said.
"use strict";

const TRAINING = "<@1477243247956066414>";
const at = (id) => document.getElementById(id);
const text = at("text"), speaker = at("speaker"), problem = at("problem"), replying = at("replying");
let replyTo = null, proposal = "", episodes = "";

document.documentElement.lang = LANGUAGE;
for (const one of document.querySelectorAll("[data-say]")) one.textContent = say(one.dataset.say);
text.placeholder = say("prompt");

// --- out --------------------------------------------------------------------------

async function post(path, about) {
  problem.textContent = "";
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(about) })
    .catch(() => ({ ok: false, text: async () => say("lost") }));
  if (!answer.ok) problem.textContent = await answer.text();
  return answer.ok;
}

function reply(message) {
  replyTo = message?.id ?? null;
  replying.hidden = !message;
  replying.firstElementChild.textContent = message ? `${say("replying")} ${message.author}: ${plain(message).slice(0, 60)}` : "";
  if (message) text.focus();
}

// A yes or a no is there for what asks for one.
const asksForAWord = (message) => /\[(APPROVE|QUESTION)\]/.test(message.content);
const mark = (message, emoji) => button(emoji, `${speaker.value} ${emoji}`, () => post("react", { author: speaker.value, message_id: message.id, emoji }));
const tools = (message) => message.author !== "Training" ? [] : [
  ...(asksForAWord(message) ? [mark(message, "✅"), mark(message, "❌")] : []),
  button("↩", say("reply"), () => reply(message)),
];

function write(words) { text.value = words; text.focus(); }
const again = (message) => write(`${TRAINING} ${message.content.replace(/^(@\S+|<@!?\d+>)\s*/, "")}`);
at("mention").addEventListener("click", () => write(text.value.startsWith(TRAINING) ? text.value : `${TRAINING} ${text.value}`));

at("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!text.value.trim()) return;
  if (await post("say", { author: speaker.value, text: text.value, reply_to: replyTo })) { text.value = ""; reply(null); }
  text.focus();
});
replying.lastElementChild.addEventListener("click", () => reply(null));
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); at("composer").requestSubmit(); }
  if (event.key === "Escape") reply(null);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !["TEXTAREA", "SELECT"].includes(document.activeElement.tagName)) { event.preventDefault(); text.focus(); }
});

function filledIn(words) {
  return words.replaceAll("{training}", TRAINING).replaceAll("{hash}", proposal).replaceAll("{episodes}", episodes);
}

function showExamples() {
  at("examples").replaceChildren(...(EXAMPLES[speaker.value] ?? []).map(([labels, words]) => {
    const label = labels[LANGUAGE] ?? labels;
    return button(label, filledIn(words), () => write(filledIn(words)), label);
  }));
}
speaker.addEventListener("change", showExamples);

// --- in ---------------------------------------------------------------------------

const shown = {
  cast: ({ people: names, episodes: count, timezone, zone }) => {
    episodes = count;
    timeZone = timezone;
    at("zone").textContent = say("clocks").replace("{zone}", zone);
    speaker.replaceChildren(...names.map((name) => new Option(name, name)));
    showExamples();
  },
  note: ({ text: words }) => showNote(words[LANGUAGE]),
  message: (message) => {
    const asked = message.author === "Training" && message.content?.match(/\[APPROVE\] ([0-9a-f]{6,64})/);
    if (asked && asked[1] !== proposal) { proposal = asked[1]; showExamples(); }
    showMessage(message, tools, again);
  },
  gauges: ({ value }) => at("gauges").replaceChildren(...value.map((one) => {
    const bar = element("progress");
    bar.max = one.total || 1;
    bar.value = one.done;
    bar.setAttribute("aria-label", one.name);
    return element("li", "", `${one.name} ${Math.round(one.done)}/${Math.round(one.total)} ${one.note}`, bar);
  })),
  curve: ({ value }) => drawCurve(value),
  title: ({ value }) => { at("title").textContent = value[LANGUAGE]; },
  tracks: ({ value }) => at("tracks").replaceChildren(...Object.entries(value).flatMap(([name, words]) =>
    [element("dt", "", say(name)), element("dd", "", words[LANGUAGE])])),
  verdict: ({ passed, acts }) => {
    at("ending").hidden = false;
    at("verdict").textContent = say(passed ? "passed" : "failed");
    at("verdict").className = passed ? "good" : "bad";
    at("acts").replaceChildren(...acts.map((act) => {
      const line = element("li", act.passed ? "good" : "bad", `${act.passed ? "✓" : "✗"} ${act.name}`);
      line.append(element("div", "small", act.evidence));
      return line;
    }));
    at("ending").scrollIntoView({ block: "nearest" });
  },
};

// After a break everything is told anew: begin with an empty channel.
const events = new EventSource("events");
events.addEventListener("open", () => { messages.replaceChildren(); known.clear(); at("link").textContent = `● ${say("live")}`; });
events.addEventListener("error", () => { at("link").textContent = `○ ${say("lost")}`; });
events.addEventListener("message", (event) => { const { what, ...about } = JSON.parse(event.data); shown[what]?.(about); });
