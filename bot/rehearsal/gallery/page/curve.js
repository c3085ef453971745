// Curves as SVG: a few hundred points, drawn anew each time.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 34, TOP = 6, BOTTOM = 16;

function shape(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// series: [{name, colour, points: [[x, y], …]}]; marks: [x, …]
function draw(svg, words, series, most, marks) {
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  svg.replaceChildren();
  words.replaceChildren();
  const ys = series.flatMap((one) => one.points.map(([, y]) => y)).filter(Number.isFinite);
  if (!ys.length) { words.textContent = say("nothing"); svg.setAttribute("aria-label", say("nothing")); return; }
  const top = Math.max(...ys) * 1.05 || 1;
  const right = Math.max(most, 1);
  const x = (value) => LEFT + (value / right) * (width - LEFT - 4);
  const y = (value) => TOP + (1 - value / top) * (height - TOP - BOTTOM);
  for (const share of [0, 0.5, 1]) {
    const at = y(top * share);
    svg.append(shape("line", { class: "axis", x1: LEFT, x2: width - 4, y1: at, y2: at }));
    svg.append(shape("text", { class: "scale", x: LEFT - 5, y: at + 3, "text-anchor": "end" }, (top * share).toPrecision(2)));
  }
  svg.append(shape("text", { class: "scale", x: width - 4, y: height - 3, "text-anchor": "end" }, `${say("epoch")} ${right}`));
  for (const mark of marks) svg.append(shape("line", { class: "save", x1: x(mark), x2: x(mark), y1: TOP, y2: height - BOTTOM }));
  for (const one of series) {
    const path = one.points.filter(([, value]) => Number.isFinite(value)).map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(" ");
    const line = shape("polyline", { class: "drawn", points: path });
    line.style.stroke = `var(${one.colour})`;
    svg.append(line);
    const key = document.createElement("span");
    key.className = "key";
    key.style.setProperty("--key", `var(${one.colour})`);
    key.textContent = `${one.name} ${one.points.at(-1)[1].toPrecision(3)}`;
    words.append(key);
  }
  svg.setAttribute("aria-label", words.textContent);
}

const colour = (number) => `--chart-${(number % 8) + 1}`;

function drawCurve(curve) {
  const along = (name) => curve.points.map((point) => [point.epoch, point[name]]);
  const saves = curve.saves.filter((one) => one.what === "checkpoint").map((one) => one.epoch);
  const whole = curve.points.length
    ? [{ name: say("loss"), colour: "--chart-1", points: along("loss") }, { name: say("l1"), colour: "--chart-2", points: along("l1") }]
    : [];
  draw(document.getElementById("loss"), document.getElementById("loss-words"), whole, curve.epochs, saves);
  const names = Object.keys(curve.points.at(-1)?.channels ?? {});
  const channels = names.map((name, number) => ({
    name, colour: colour(number), points: curve.points.filter((one) => name in one.channels).map((one) => [one.epoch, one.channels[name]]),
  }));
  draw(document.getElementById("channels"), document.getElementById("channels-words"), channels, curve.epochs, []);
}
