// Draws the plots of a page, again after each renewal and when the colours change.
"use strict";

const PALETTE = ["#1f77b4", "#d1572c", "#2a8f5b", "#8a5fbf", "#b8860b", "#5f7d8c"];

function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function draw(figure) {
  const canvas = figure.querySelector(".canvas");
  const content = JSON.parse(figure.querySelector("script").textContent);
  const labels = content.lines.map((line) => line.label);
  const data = [content.times, ...content.lines.map((line) => line.values)];
  const isByDay = content.times.every((time) => time % 86400 === 0);
  const when = isByDay ? { label: "date", value: "{YYYY}-{MM}-{DD}" }
    : { label: "time", value: "{YYYY}-{MM}-{DD} {HH}:{mm}" };
  const series = [when, ...content.lines.map((line, i) => {
    const isPoint = content.points.includes(line.label);
    const isBand = content.bands.some((pair) => pair.includes(line.label));
    const ink = PALETTE[i % PALETTE.length];
    return {
      label: line.label,
      stroke: isBand ? "#7fa8cf" : ink,
      width: isPoint ? 0 : isBand ? 1 : 1.6,
      paths: isPoint ? () => null : undefined,
      points: { show: isPoint || line.values.length < 3, size: 4, fill: ink },
      spanGaps: true,
      value: (plot, value) => value == null ? "–" : value.toPrecision(4),
    };
  })];
  if (content.level !== null) {
    data.push(content.times.map(() => content.level));
    series.push({ label: String(content.level), stroke: colour("--faint"), width: 1, dash: [5, 5],
      points: { show: false }, value: () => "" });
  }
  const bands = content.bands.map((pair) => ({
    series: pair.map((label) => labels.indexOf(label) + 1), fill: "rgba(80, 140, 200, .2)" }));
  const axis = { stroke: colour("--faint"), grid: { stroke: colour("--rule"), width: 1 },
    ticks: { stroke: colour("--rule"), width: 1 } };
  // The legend tells the newest values where no others are pointed at.
  const newest = (plot) => {
    if (plot.cursor.idx == null) plot.setLegend({ idx: content.times.length - 1 });
  };
  canvas.replaceChildren();
  new uPlot({ width: Math.max(240, canvas.clientWidth), height: 240, series, bands,
    axes: [axis, { ...axis, size: 60 }], tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "UTC"),
    cursor: { drag: { x: true, y: false } }, hooks: { ready: [newest], setCursor: [newest] } },
    data, canvas);
}

function drawAll() {
  document.querySelectorAll("figure.plot").forEach(draw);
}

document.addEventListener("DOMContentLoaded", drawAll);
document.addEventListener("htmx:afterSwap", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
let width = innerWidth;
addEventListener("resize", () => {
  if (width !== innerWidth) { width = innerWidth; drawAll(); }
});
addEventListener("keydown", (event) => {
  const field = document.querySelector('input[type="search"]');
  if (event.key === "/" && field && !/INPUT|TEXTAREA|SELECT/.test(document.activeElement.tagName)) {
    event.preventDefault();
    field.focus();
  }
});
