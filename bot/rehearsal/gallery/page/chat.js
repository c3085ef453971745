// The channel: messages as Discord would show them. Text becomes text nodes, never markup.
"use strict";

const messages = document.getElementById("messages");
const newest = document.getElementById("newest");
const known = new Map();
let timeZone = undefined; // the messages' own, once it is known

// With mentions as names, on one line.
const plain = (message) => message.content.split("\n")[0].replace(/<@!?(\d+)>/g, (_, id) => `@${message.mentions[id] ?? id}`);

const element = (name, className, ...children) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
};

// The inline marks in use here: `code`, **bold**, <@mention>.
function inline(text, mentions) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(/`([^`\n]+)`|\*\*([^*\n]+)\*\*|<@!?(\d+)>/g)) {
    parts.push(text.slice(at, found.index));
    if (found[1] !== undefined) parts.push(element("code", "", found[1]));
    else if (found[2] !== undefined) parts.push(element("strong", "", found[2]));
    else parts.push(element("span", "mention", `@${mentions[found[3]] ?? found[3]}`));
    at = found.index + found[0].length;
  }
  return [...parts, text.slice(at)];
}

function bodyOf(message) {
  const body = element("div", "body");
  message.content.split(/```(?:\w*\n)?([\s\S]*?)```/).forEach((piece, number) => {
    if (number % 2) { body.append(element("pre", "", piece.replace(/\n$/, ""))); return; }
    for (const line of piece.replace(/\n$/, "").split("\n")) {
      const small = line.startsWith("-# ");
      body.append(element("span", small ? "small" : "", ...inline(small ? line.slice(3) : line, message.mentions)), "\n");
    }
  });
  body.lastChild?.remove();
  return body;
}

const button = (label, title, press, name = title) => {
  const made = element("button", "", label);
  made.type = "button";
  made.title = title;
  made.setAttribute("aria-label", name);
  made.addEventListener("click", press);
  return made;
};

function quoteOf(message) {
  const asked = message.reply_to && known.get(message.reply_to);
  return asked ? [element("div", "quote", `↩ ${asked.author}: ${plain(asked)}`)] : [];
}

// Why Training will not answer this, if it will not; and what would be heard instead.
function whyUnheard(message) {
  if (message.author === "Training") return null;
  if (message.author === "stranger") return "stranger";
  if (message.content.startsWith("!")) return message.author === "operator" ? null : "notOperator";
  return Object.keys(message.mentions).length || message.reply_to ? null : "unheard";
}

function unheardOf(message, again) {
  const why = whyUnheard(message);
  if (!why) return [];
  const line = element("div", "unheard", say(why));
  if (why === "unheard") {
    const label = filledIn(say("again"));
    line.append(" ", button(label, label, () => again(message)));
  }
  return [line];
}

// What a message is about, for who does not read Korean.
function gistOf(message) {
  const first = message.content.split("\n")[0];
  const gist = LANGUAGE === "en" && GISTS.find(([words]) => words.test(first));
  return gist ? [element("div", "gist", gist[1])] : [];
}

function attachmentOf(one) {
  const link = element("a", "");
  link.href = one.url;
  link.target = "_blank";
  if (!one.picture) { link.append(`📎 ${one.name}`); return link; }
  const picture = element("img");
  picture.src = one.url;
  picture.alt = one.name;
  picture.addEventListener("load", stayDown);
  link.append(picture);
  return link;
}

function drawn(message, tools, again) {
  const item = element("li", "message");
  item.id = `message-${message.id}`;
  item.style.setProperty("--who", `var(--${message.author.toLowerCase()}, var(--stranger))`);
  const time = element("time", "", new Date(message.at).toLocaleTimeString(undefined, { timeZone }));
  time.dateTime = message.at;
  const head = element("div", "head", element("span", "name", message.author), time, ...(message.edited ? [element("span", "small", say("edited"))] : []));
  const bar = element("span", "tools", ...tools(message));
  head.append(bar);
  const reactions = Object.entries(message.reactions).map(([emoji, count]) => element("span", "reaction", `${emoji} ${count}`));
  const right = element("div", "", head, ...gistOf(message), ...quoteOf(message), bodyOf(message),
    ...message.attachments.map(attachmentOf), ...reactions, ...unheardOf(message, again));
  item.append(element("div", "face", message.author[0].toUpperCase()), right);
  item.firstChild.setAttribute("aria-hidden", "true");
  return item;
}

const isDown = () => messages.scrollHeight - messages.scrollTop - messages.clientHeight < 80;
let down = true;
messages.addEventListener("scroll", () => { down = isDown(); if (down) newest.hidden = true; });
function stayDown() {
  if (down) messages.scrollTop = messages.scrollHeight;
  else newest.hidden = false;
}
newest.addEventListener("click", () => { down = true; stayDown(); newest.hidden = true; });

// Tab passes through the buttons of the newest messages alone; the others are there for a pointer.
const AT_HAND = 3;
function keepShortWay() {
  const bars = messages.querySelectorAll(".tools:not(:empty)");
  bars.forEach((bar, number) => bar.querySelectorAll("button").forEach((one) => { one.tabIndex = number < bars.length - AT_HAND ? -1 : 0; }));
}

function showMessage(message, tools, again) {
  const before = document.getElementById(`message-${message.id}`);
  if (message.deleted) { before?.remove(); return; }
  known.set(message.id, message);
  const item = drawn(message, tools, again);
  if (before) before.replaceWith(item); else messages.append(item);
  keepShortWay();
  stayDown();
}

function showNote(text) { messages.append(element("li", "note", ...inline(text, {}))); stayDown(); }
