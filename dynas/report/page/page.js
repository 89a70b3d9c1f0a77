"use strict";
// Charts, sorting and copying of a report. Texts of runs only ever become text nodes.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const TOP = 10, RIGHT = 14, LINE = 15;
  const hidden = new Set(), redraws = [];

  function make(name, attributes = {}, parent = null, text = null) {
    const isSvg = ["svg", "g", "path", "line", "rect", "text", "circle"].includes(name);
    const element = isSvg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== null) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  }

  // ---- numbers and marks
  function format(value) {
    if (value === null || value === undefined) return "—";
    const size = Math.abs(value);
    if (size >= 1e5) return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 }).format(value);
    return String(Number(value.toPrecision(5)));
  }
  function ticks(low, high, log, count = 5) {
    if (log && high / low >= 5) {
      const factors = high / low < 1e3 ? [1, 2, 5] : [1], found = [];
      for (let k = Math.floor(Math.log10(low)); 10 ** k <= high; k++)
        for (const factor of factors) if (factor * 10 ** k >= low && factor * 10 ** k <= high) found.push(Number((factor * 10 ** k).toPrecision(12)));
      return found;
    }
    const most = (high - low) / count, power = 10 ** Math.floor(Math.log10(most));
    const step = [5, 2, 1].find((factor) => factor * power <= most) * power, found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(Number((k * step).toPrecision(12)));
    return found;
  }
  function range(values, log = false, margin = 0.04) {
    let low = Infinity, high = -Infinity;
    for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
    if (low > high) return [1, 2];
    if (log) { const factor = (high / low) ** margin; return [low / factor, high * factor]; }
    const pad = (high - low) * margin || Math.abs(high) * margin || 1;
    return [low - pad, high + pad];
  }
  // from values to places between two ends, and back
  function scale(ends, from, to, log) {
    const of = log ? Math.log : Number, [low, high] = ends.map(of);
    return {
      at: (value) => from + ((of(value) - low) / (high - low)) * (to - from),
      back: (place) => { const value = low + ((place - from) / (to - from)) * (high - low); return log ? Math.exp(value) : value; },
    };
  }
  function lines(text, room) {
    const found = [""];
    for (const word of text.split(" ")) {
      if (found.at(-1) && (found.at(-1) + word).length * 6.4 > room) found.push("");
      found[found.length - 1] += (found.at(-1) ? " " : "") + word;
    }
    return found;
  }
  const SHAPES = [
    (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`,
    (r) => `M${-r},${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
    (r) => `M0,${-1.3 * r}L${1.25 * r},${r}H${-1.25 * r}z`,
    (r) => `M0,${-1.4 * r}L${1.4 * r},0L0,${1.4 * r}L${-1.4 * r},0z`,
  ];
  const DASHES = ["none", "7 3", "2 2.5", "9 3 2 3"];
  const shape = (group, r) => SHAPES[group % SHAPES.length](r);
  const colour = (group) => `g${group % 8}`;

  // ---- one chart: axes, zoom, tooltip; `scene` says what is in it, `tall` how high it is for its width
  function chart(figure, tall, scene) {
    const svg = make("svg", { class: "chart", tabindex: 0, role: "application" }, figure);
    const tip = make("div", { class: "tip", role: "status", hidden: "" }, figure);
    make("p", { class: "hint" }, figure, "Drag to zoom in, double-click or Escape to zoom out; with the keyboard: arrow keys, +, −" + (scene.enter ? ", Enter for the row in the table" : "") + ".");
    let view = null, at = null, drag = null, x, y, width, height, left, inner;
    const inside = (a, b) => a >= view.x[0] && a <= view.x[1] && b >= view.y[0] && b <= view.y[1];

    function layOut() { // in pixels of the screen, so that texts keep their size on a phone
      width = Math.max(280, Math.round(figure.clientWidth || 900));
      height = Math.round(Math.max(250, Math.min(tall * width, 0.58 * window.innerHeight)));
      const across = lines(scene.xLabel(), width - 90), up = lines(scene.yLabel(), height - 60);
      left = 46 + LINE * up.length;
      inner = { w: width - left - RIGHT, h: height - TOP - 26 - LINE * across.length };
      view ??= scene.extent();
      const log = scene.log();
      x = scale(view.x, left, left + inner.w, log.x);
      y = scale(view.y, TOP + inner.h, TOP, log.y);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("aria-label", scene.label());
      return { across, up, log };
    }
    function draw() {
      const { across, up, log } = layOut();
      svg.replaceChildren();
      for (const value of ticks(...view.x, log.x, Math.max(2, width / 180))) {
        make("line", { class: "grid", x1: x.at(value), x2: x.at(value), y1: TOP, y2: TOP + inner.h }, svg);
        make("text", { x: x.at(value), y: TOP + inner.h + 17, "text-anchor": "middle" }, make("g", { class: "tick" }, svg), format(value));
      }
      for (const value of ticks(...view.y, log.y)) {
        make("line", { class: "grid", x1: left, x2: left + inner.w, y1: y.at(value), y2: y.at(value) }, svg);
        make("text", { x: left - 7, y: y.at(value) + 4, "text-anchor": "end" }, make("g", { class: "tick" }, svg), format(value));
      }
      make("line", { class: "axis", x1: left, x2: left + inner.w, y1: TOP + inner.h, y2: TOP + inner.h }, svg);
      across.forEach((text, k) => make("text", { x: left + inner.w / 2, y: TOP + inner.h + 34 + LINE * k, "text-anchor": "middle" }, svg, text));
      up.forEach((text, k) => make("text", { transform: `translate(${LINE * (k + 1) - 3} ${TOP + inner.h / 2}) rotate(-90)`, "text-anchor": "middle" }, svg, text));
      const frame = make("svg", { x: left, y: TOP, width: inner.w, height: inner.h, viewBox: `${left} ${TOP} ${inner.w} ${inner.h}` }, svg);
      scene.paint(frame, x.at, y.at, inside, left + inner.w);
      tip.hidden = at === null;
      if (at !== null) {
        const shown = scene.show(at, x.at, y.at, make("g", {}, frame));
        tip.replaceChildren(...shown.lines);
        beside(shown);
      }
      if (drag && drag.to) {
        const [a, b] = [drag.from, drag.to];
        make("rect", { class: "box", x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) }, frame);
      }
    }
    function beside(shown) { // right of the point, or left of it, or where neither has room above or below
      const box = svg.getBoundingClientRect(), home = figure.getBoundingClientRect(), k = box.width / width;
      const [px, py, w, h] = [shown.x * k, shown.y * k, tip.offsetWidth, tip.offsetHeight];
      const between = (value, most) => Math.max(0, Math.min(value, most));
      const free = px + 14 + w <= box.width ? px + 14 : px - 14 - w >= 0 ? px - 14 - w : null;
      const top = free !== null ? between(py - h / 2, box.height - h) : py + 14 + h <= box.height ? py + 14 : py - 14 - h;
      tip.style.left = `${box.left - home.left + (free ?? between(px - w / 2, box.width - w))}px`;
      tip.style.top = `${box.top - home.top + top}px`;
    }
    const reset = () => { view = null; at = null; draw(); };
    const choose = (point) => { at = point; draw(); };
    function place(event) {
      const box = svg.getBoundingClientRect();
      return { x: ((event.clientX - box.left) / box.width) * width, y: ((event.clientY - box.top) / box.height) * height };
    }
    function zoom(a, b) {
      view = {
        x: [x.back(Math.min(a.x, b.x)), x.back(Math.max(a.x, b.x))],
        y: [y.back(Math.max(a.y, b.y)), y.back(Math.min(a.y, b.y))],
      };
    }
    svg.addEventListener("pointerdown", (event) => { if (event.button === 0 && event.pointerType !== "touch") drag = { from: place(event), to: null }; });
    svg.addEventListener("pointermove", (event) => {
      const here = place(event);
      if (drag) { if (Math.hypot(here.x - drag.from.x, here.y - drag.from.y) > 6) { drag.to = here; at = null; draw(); } return; }
      const found = scene.nearest(here, x.at, y.at, inside);
      if (found !== at) choose(found);
    });
    svg.addEventListener("pointerup", () => {
      const done = drag; drag = null;
      if (done && done.to && Math.abs(done.to.x - done.from.x) > 8 && Math.abs(done.to.y - done.from.y) > 8) zoom(done.from, done.to);
      else if (at !== null && scene.enter && done) scene.enter(at, false);
      draw();
    });
    svg.addEventListener("pointerleave", () => { drag = null; if (document.activeElement !== svg) at = null; draw(); });
    svg.addEventListener("dblclick", reset);
    svg.addEventListener("blur", () => choose(null));
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: 1, ArrowDown: -1, Home: -1e9, End: 1e9, PageUp: -10, PageDown: 10 }[event.key];
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (step !== undefined) at = scene.move(at, step, inside);
      else if (event.key === "Escape") return reset();
      else if (event.key === "Enter" && at !== null && scene.enter) return scene.enter(at, true);
      else if (event.key === "+" || event.key === "-") {
        const centre = at === null ? { x: left + inner.w / 2, y: TOP + inner.h / 2 } : scene.show(at, x.at, y.at, make("g"));
        const k = event.key === "+" ? 0.35 : 0.7;
        zoom({ x: centre.x - inner.w * k, y: centre.y - inner.h * k }, { x: centre.x + inner.w * k, y: centre.y + inner.h * k });
      } else return;
      event.preventDefault();
      draw();
    });
    redraws.push(() => choose(null));
    draw();
    let known = figure.clientWidth;
    new ResizeObserver(() => { if (figure.clientWidth !== known) { known = figure.clientWidth; draw(); } }).observe(figure);
    return { reset, draw };
  }

  // ---- what was measured, and the fronts
  const points = data.groups.flatMap((group, g) => group.points.flatMap((run) => run.row.map((row, i) => ({
    group: g, seed: run.seed, row, evaluation: run.evaluation[i], values: run.values.map((column) => column[i]),
    architecture: run.architecture[i], front: run.front[i] > 0, shared: run.front[i] > 1, best: run.best[i] === 1,
    feasible: run.feasible[i] === 1, member: run.member[i], mark: run.mark[i],
  }))));
  const leftOut = data.groups.reduce((sum, group) => sum + group.points.reduce((part, run) => part + run.left_out, 0), 0);
  const columns = [...data.objectives.map((one, m) => ({ label: `${one.column},${one.log ? " logarithmic," : ""} ${one.min ? "lower" : "higher"} is better`, short: one.name, min: one.min, log: one.log, of: (p) => p.values[m], objective: true })),
    { label: "evaluations", short: "evaluation", min: true, log: false, of: (p) => p.evaluation, objective: false }];
  const told = (p) => `${data.groups[p.group].name}, seed ${p.seed}, row ${p.row}`;
  const valued = (p) => data.objectives.map((one, m) => `${one.name} ${format(p.values[m])} ${one.unit}`).join("; ");

  function frontsScene(axes) {
    const visible = () => points.filter((p) => !hidden.has(p.group));
    const ordered = (inside) => visible().filter((p) => p.front && inside(axes.x.of(p), axes.y.of(p))).sort((a, b) => axes.x.of(a) - axes.x.of(b) || a.group - b.group);
    const scene = {
      picked: null,
      label: () => `${axes.y.short} over ${axes.x.short} of ${visible().length} measured sub-networks`,
      xLabel: () => axes.x.label, yLabel: () => axes.y.label,
      log: () => ({ x: axes.x.log, y: axes.y.log }),
      extent: () => ({ x: range(visible().map(axes.x.of), axes.x.log), y: range(visible().map(axes.y.of), axes.y.log) }),
      paint(frame, x, y, inside, end) {
        for (const isFront of [false, true]) {
          if (isFront) data.groups.forEach((_, g) => hidden.has(g) || border(frame, g, x, y));
          for (const p of visible()) {
            if (p.front !== isFront || !inside(axes.x.of(p), axes.y.of(p))) continue;
            const kind = p.shared ? "dot member" : p.front ? "dot own" : p.feasible ? "dot" : "dot beyond";
            make("path", { class: `${kind} ${colour(p.group)}`, d: shape(p.group, p.front ? 4.2 : 2.6), transform: `translate(${x(axes.x.of(p)).toFixed(1)} ${y(axes.y.of(p)).toFixed(1)})` }, frame);
          }
        }
        for (const p of visible()) {
          const mark = [p.mark, p === scene.picked ? "pick" : ""].filter(Boolean).join(", ");
          if (!mark || !inside(axes.x.of(p), axes.y.of(p))) continue;
          const [px, py] = [x(axes.x.of(p)), y(axes.y.of(p))], back = px > end - 8 * mark.length;
          make("path", { class: "marked", d: shape(0, 8), transform: `translate(${px} ${py})` }, frame);
          make("text", { class: "mark", x: px + (back ? -11 : 11), y: py + 16, "text-anchor": back ? "end" : "start" }, frame, mark);
        }
      },
      nearest(here, x, y, inside) {
        let best = null, least = 18;
        for (const p of visible()) {
          if (!inside(axes.x.of(p), axes.y.of(p))) continue;
          const far = Math.hypot(x(axes.x.of(p)) - here.x, y(axes.y.of(p)) - here.y) - (p.front ? 3 : 0);
          if (far < least) { least = far; best = p; }
        }
        return best;
      },
      move(at, step, inside) { // to the next member that is seen, from whatever point was chosen
        const row = ordered(inside);
        if (!row.length) return null;
        if (at === null) return row[step > 0 ? 0 : row.length - 1];
        const after = row.findIndex((p) => axes.x.of(p) > axes.x.of(at));
        const place = row.includes(at) ? row.indexOf(at) : (after < 0 ? row.length : after) - (step > 0 ? 1 : 0);
        return row[Math.min(row.length - 1, Math.max(0, place + step))];
      },
      show(p, x, y, over) {
        const [px, py] = [x(axes.x.of(p)), y(axes.y.of(p))];
        make("path", { class: "chosen", d: shape(p.group, 7), transform: `translate(${px} ${py})` }, over);
        const where = p.shared ? ", on the front" : p.front ? ", on the front of its own run only" : p.feasible ? "" : ", beyond a bound";
        const lines = [make("div", {}, null, `${told(p)}${where}${p.mark ? `, ${p.mark}` : ""}`), make("div", {}, null, valued(p))];
        let text = p.architecture;
        try { text = Object.entries(JSON.parse(text)).map(([key, value]) => `${key} ${Array.isArray(value) ? value.join(" ") : value}`).join("\n"); } catch { /* shown as it is */ }
        lines.push(make("div", { class: "architecture" }, null, text));
        return { x: px, y: py, lines };
      },
      enter(p, focus) {
        const row = document.getElementById("members")?.rowsByPlace?.[p.member];
        if (!row) return;
        document.querySelectorAll("tr.marked").forEach((other) => other.classList.remove("marked"));
        row.classList.add("marked");
        if (focus) { row.tabIndex = -1; row.focus(); row.scrollIntoView({ block: "center" }); }
      },
    };
    return scene;
    function border(frame, g, x, y) {
      if (!axes.x.objective || !axes.y.objective || axes.x === axes.y) return;
      const mine = points.filter((p) => p.group === g && p.feasible).map((p) => [axes.x.of(p), axes.y.of(p)]);
      const better = (a, b, min) => (min ? a < b : a > b);
      mine.sort((a, b) => (axes.x.min ? a[0] - b[0] : b[0] - a[0]) || (axes.y.min ? a[1] - b[1] : b[1] - a[1]));
      let path = "", last = null;
      for (const [a, b] of mine) {
        if (last !== null && !better(b, last, axes.y.min)) continue;
        path += last === null ? `M${x(a)},${y(b)}` : `H${x(a)}V${y(b)}`;
        last = b;
      }
      make("path", { class: `border ${colour(g)}`, d: path, "stroke-dasharray": DASHES[g % DASHES.length] }, frame);
    }
  }

  function fronts(figure) {
    const cost = columns.findIndex((one) => one.min), quality = columns.findIndex((one) => !one.min);
    const first = data.objectives.length === 1 ? columns.length - 1 : cost;
    const axes = { x: columns[first], y: columns[quality >= 0 ? quality : data.objectives.length === 1 ? 0 : 1] };
    const controls = make("div", { class: "controls" }, figure);
    const selects = ["x", "y"].map((axis) => {
      const label = make("label", {}, controls, `${axis === "x" ? "across" : "up"} `);
      const select = make("select", { id: `axis-${axis}` }, label);
      columns.forEach((one, index) => make("option", { value: index }, select, one.short));
      select.value = columns.indexOf(axes[axis]);
      return [axis, select];
    });
    const zoomOut = make("button", { type: "button" }, controls, "zoom out");
    if (leftOut) make("span", {}, controls, `${points.length} of ${points.length + leftOut} sub-networks shown: fronts, and an even choice of the others`);
    const scene = frontsScene(axes), drawn = chart(figure, 0.6, scene);
    for (const [axis, select] of selects) select.addEventListener("change", () => { axes[axis] = columns[select.value]; drawn.reset(); });
    zoomOut.addEventListener("click", drawn.reset);
    const key = ["● on the front", "pale: measured beside it"];
    if (points.some((p) => p.front && !p.shared)) key.splice(1, 0, "○ on the front of its own run, but others of its group are better");
    if (points.some((p) => !p.feasible)) key.push("hollow and pale: beyond a bound");
    if (data.objectives.length > 1) key.push(`line: the front of ${data.objectives.length > 2 ? "the two axes alone" : "all runs of a group"}`);
    make("p", { class: "hint key" }, figure, `${key.join(" · ")}.`);
    if (data.objectives.length > 1 && points.some((p) => p.best)) picker(figure, scene, drawn);
  }

  // ---- the best of all fronts within a limit, as dynas report --pick chooses it
  function picker(figure, scene, drawn) {
    const form = make("form", { class: "controls", id: "pick" }, null);
    const label = make("label", {}, form, "pick the best with ");
    const select = make("select", { "aria-label": "objective of the limit" }, label);
    data.objectives.forEach((one, m) => make("option", { value: m }, select, `${one.name} ${one.min ? "≤" : "≥"}`));
    const first = data.objectives.findIndex((one) => one.min);
    select.value = Math.max(0, first);
    const limit = make("input", { type: "number", step: "any", "aria-label": "limit" }, label);
    make("button", { type: "submit" }, form, "pick");
    const answer = make("output", {}, form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const m = Number(select.value), sign = data.objectives[m].min ? 1 : -1;
      if (limit.value === "") return;
      const left = points.filter((p) => p.best && !hidden.has(p.group) && sign * p.values[m] <= sign * Number(limit.value));
      scene.picked = left.length ? wished(left, m) : null;
      answer.textContent = scene.picked ? `${told(scene.picked)}: ${valued(scene.picked)}` : "none within this limit";
      if (scene.picked) scene.enter(scene.picked, false);
      drawn.draw();
    });
    figure.insertBefore(form, figure.querySelector("svg.chart"));
  }
  function wished(left, limited) {
    const losses = left.map((p) => p.values.map((value, m) => (data.objectives[m].min ? value : -value)));
    const least = data.objectives.map((_, m) => Math.min(...losses.map((row) => row[m])));
    const span = data.objectives.map((_, m) => Math.max(...losses.map((row) => row[m])) - least[m] || 1);
    const beyond = (row) => 1 - row.reduce((sum, value, m) => sum + (value - least[m]) / span[m], 0);
    const free = data.objectives.map((_, m) => m).filter((m) => m !== limited);
    const score = free.length === 1 ? (row) => -row[free[0]] : beyond;
    return left.reduce((best, p, k) => (score(losses[k]) > score(losses[left.indexOf(best)]) ? p : best), left[0]);
  }

  // ---- curves with bands of one standard error
  function curvesScene(series, label, xLabel, yLabel, stepped) {
    const visible = () => series.filter((one) => !hidden.has(one.group));
    const steps = () => [...new Set(visible().flatMap((one) => one.x))].sort((a, b) => a - b);
    const index = (one, value) => { let k = one.x.findIndex((a) => a > value); return k < 0 ? one.x.length - 1 : k - 1; };
    return {
      log: () => ({ x: false, y: false }), label: () => `${label} of ${visible().length} groups`, xLabel: () => xLabel, yLabel: () => yLabel,
      extent() {
        const all = visible().flatMap((one) => one.mean.flatMap((m, i) => (m === null ? [] : [m - (one.error[i] ?? 0), m + (one.error[i] ?? 0)])));
        return { x: range(steps(), false, 0.02), y: range(all) };
      },
      paint(frame, x, y) {
        for (const one of visible()) {
          const known = one.x.map((a, i) => [a, one.mean[i], one.error[i] ?? 0]).filter((row) => row[1] !== null);
          const line = (rows, of) => rows.map((row, i) => {
            const [a, b] = [x(row[0]).toFixed(1), y(of(row)).toFixed(1)];
            return i === 0 ? `${a},${b}` : stepped ? `H${a}V${b}` : `L${a},${b}`;
          }).join("");
          const back = (rows, of) => [...rows].reverse().map((row, i, all) => {
            const [a, b] = [x(row[0]).toFixed(1), y(of(row)).toFixed(1)];
            return i === 0 || !stepped ? `L${a},${b}` : `V${b}H${a}`;
          }).join("");
          if (known.some((row) => row[2])) make("path", { class: `band ${colour(one.group)}`, d: `M${line(known, (r) => r[1] + r[2])}${back(known, (r) => r[1] - r[2])}Z` }, frame);
          if (known.length) make("path", { class: `curve ${colour(one.group)}`, d: `M${line(known, (r) => r[1])}`, "stroke-dasharray": DASHES[one.group % DASHES.length] }, frame);
          if (!stepped || known.length === 1) for (const row of known) make("path", { class: `dot member ${colour(one.group)}`, d: shape(one.group, 3.4), transform: `translate(${x(row[0])} ${y(row[1])})` }, frame);
        }
      },
      nearest(here, x) {
        let best = null, least = Infinity;
        for (const value of steps()) { const far = Math.abs(x(value) - here.x); if (far < least) { least = far; best = value; } }
        return best;
      },
      move(at, step) {
        const all = steps();
        if (!all.length) return null;
        const place = at === null ? (step > 0 ? -1 : all.length) : all.indexOf(at);
        return all[Math.min(all.length - 1, Math.max(0, place + step))];
      },
      show(at, x, y, over) {
        make("line", { class: "cursor", x1: x(at), x2: x(at), y1: 0, y2: 2000 }, over);
        const lines = [make("div", {}, null, `${xLabel} ${format(at)}`)];
        let top = Infinity;
        for (const one of visible()) {
          const k = index(one, at);
          if (k < 0 || one.mean[k] === null || at > one.x[one.x.length - 1]) continue;
          const error = one.error[k] === null ? "" : ` ± ${format(Number(one.error[k].toPrecision(2)))}`;
          lines.push(make("div", {}, null, `${data.groups[one.group].name}: ${format(one.mean[k])}${error}`));
          top = Math.min(top, y(one.mean[k]));
        }
        return { x: x(at), y: Number.isFinite(top) ? Math.max(top, 0) : TOP, lines };
      },
    };
  }

  // ---- the page
  const legend = document.getElementById("legend");
  data.groups.forEach((group, g) => {
    const button = make("button", { type: "button", "aria-pressed": "true" }, legend);
    const key = make("svg", { width: 26, height: 12, viewBox: "0 0 26 12", "aria-hidden": "true" }, button);
    make("path", { class: `curve ${colour(g)}`, d: "M0,6H26", "stroke-dasharray": DASHES[g % DASHES.length] }, key);
    make("path", { class: `dot member ${colour(g)}`, d: shape(g, 4), transform: "translate(13 6)" }, key);
    button.append(group.name);
    button.addEventListener("click", () => {
      if (!hidden.delete(g)) hidden.add(g);
      button.setAttribute("aria-pressed", String(!hidden.has(g)));
      redraws.forEach((redraw) => redraw());
    });
  });
  fronts(document.getElementById("fronts"));
  chart(document.getElementById("hypervolume"), 0.42, curvesScene(
    data.groups.map((group, g) => ({ group: g, ...group.curve })), "hypervolume over evaluations", "evaluations", `hypervolume [${data.hypervolume}]`, true));
  for (const one of data.quality) {
    const home = document.getElementById("predictors");
    make("h3", {}, home, one.objective);
    const pair = make("div", { class: "pair" }, home);
    for (const [key, name] of [["mape", "MAPE [%], lower is better"], ["kendall_tau", "Kendall tau, higher is better"]]) {
      const series = one.series.map((some) => ({ group: some.group, x: some.x, ...some[key] }));
      chart(make("figure", {}, pair), 0.64, curvesScene(series, `${name} for ${one.objective}`, "examples", name, false));
    }
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
    table.rowsByPlace = [...body.rows];
    heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const compare = (a, b) => (isNaN(a) || isNaN(b) || a === "" || b === "" ? String(a).localeCompare(String(b)) : a - b);
      body.append(...[...body.rows].sort((a, b) => (up ? 1 : -1) * compare(value(a), value(b))));
    }));
  }

  const said = document.getElementById("said");
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button.copy");
    if (!button) return;
    const command = button.dataset.copy;
    try { await navigator.clipboard.writeText(command); } catch {
      const area = make("textarea", {}, document.body); // where a browser keeps its clipboard from files
      area.value = command; area.select(); document.execCommand("copy"); area.remove(); button.focus();
    }
    said.textContent = `copied: ${command}`;
    setTimeout(() => { if (said.textContent === `copied: ${command}`) said.textContent = ""; }, 8000);
  });
})();
