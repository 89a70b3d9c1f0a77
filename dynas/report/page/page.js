"use strict";
// Charts, sorting and copying of a report. Texts of runs only ever become text nodes.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const LEFT = 74, RIGHT = 14, TOP = 10, BOTTOM = 46;
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
  function ticks(low, high, count) {
    const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power, found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(Number((k * step).toPrecision(12)));
    return found;
  }
  function range(values, margin = 0.04) {
    let low = Infinity, high = -Infinity;
    for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
    if (low > high) return [0, 1];
    const pad = (high - low) * margin || Math.abs(high) * margin || 1;
    return [low - pad, high + pad];
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

  // ---- one chart: axes, zoom, tooltip; `scene` says what is in it
  function chart(figure, width, height, scene) {
    const name = scene.label();
    const svg = make("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "application", "aria-label": name }, figure);
    const tip = make("div", { class: "tip", role: "status", hidden: "" }, figure);
    make("p", { class: "hint" }, figure, "Drag to zoom in, double-click or Escape to zoom out; with the keyboard: arrow keys, +, −" + (scene.enter ? ", Enter for the row in the table" : "") + ".");
    let view = null, at = null, drag = null;
    const inner = { w: width - LEFT - RIGHT, h: height - TOP - BOTTOM };
    const x = (value) => LEFT + ((value - view.x[0]) / (view.x[1] - view.x[0])) * inner.w;
    const y = (value) => TOP + (1 - (value - view.y[0]) / (view.y[1] - view.y[0])) * inner.h;
    const inside = (a, b) => a >= view.x[0] && a <= view.x[1] && b >= view.y[0] && b <= view.y[1];

    function draw() {
      svg.replaceChildren();
      view ??= scene.extent();
      svg.setAttribute("aria-label", scene.label());
      for (const value of ticks(...view.x, width / 110)) {
        make("line", { class: "grid", x1: x(value), x2: x(value), y1: TOP, y2: TOP + inner.h }, svg);
        make("text", { x: x(value), y: TOP + inner.h + 17, "text-anchor": "middle" }, make("g", { class: "tick" }, svg), format(value));
      }
      for (const value of ticks(...view.y, 6)) {
        make("line", { class: "grid", x1: LEFT, x2: LEFT + inner.w, y1: y(value), y2: y(value) }, svg);
        make("text", { x: LEFT - 7, y: y(value) + 4, "text-anchor": "end" }, make("g", { class: "tick" }, svg), format(value));
      }
      make("line", { class: "axis", x1: LEFT, x2: LEFT + inner.w, y1: TOP + inner.h, y2: TOP + inner.h }, svg);
      make("text", { x: LEFT + inner.w / 2, y: height - 8, "text-anchor": "middle" }, svg, scene.xLabel());
      make("text", { transform: `translate(15 ${TOP + inner.h / 2}) rotate(-90)`, "text-anchor": "middle" }, svg, scene.yLabel());
      const frame = make("svg", { x: LEFT, y: TOP, width: inner.w, height: inner.h, viewBox: `${LEFT} ${TOP} ${inner.w} ${inner.h}` }, svg);
      scene.paint(frame, x, y, inside);
      const over = make("g", {}, frame);
      if (at !== null) {
        const shown = scene.show(at, x, y, over);
        tip.replaceChildren(...shown.lines);
        tip.hidden = false;
        const scale = svg.clientWidth / width, left = shown.x * scale;
        const place = svg.offsetTop + shown.y * scale;
        if (shown.y > height / 2) { tip.style.top = "auto"; tip.style.bottom = `${figure.clientHeight - place + 14}px`; }
        else { tip.style.bottom = "auto"; tip.style.top = `${place + 14}px`; }
        if (left > figure.clientWidth / 2) { tip.style.left = "auto"; tip.style.right = `${figure.clientWidth - left + 12}px`; }
        else { tip.style.right = "auto"; tip.style.left = `${left + 12}px`; }
      } else tip.hidden = true;
      if (drag && drag.to) {
        const [a, b] = [drag.from, drag.to];
        make("rect", { class: "box", x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) }, frame);
      }
    }
    const reset = () => { view = null; at = null; draw(); };
    function place(event) {
      const box = svg.getBoundingClientRect();
      return { x: ((event.clientX - box.left) / box.width) * width, y: ((event.clientY - box.top) / box.height) * height };
    }
    function zoom(a, b) {
      const toX = (p) => view.x[0] + ((p - LEFT) / inner.w) * (view.x[1] - view.x[0]);
      const toY = (p) => view.y[1] - ((p - TOP) / inner.h) * (view.y[1] - view.y[0]);
      view = { x: [toX(Math.min(a.x, b.x)), toX(Math.max(a.x, b.x))], y: [toY(Math.max(a.y, b.y)), toY(Math.min(a.y, b.y))] };
    }
    svg.addEventListener("pointerdown", (event) => { if (event.button === 0 && event.pointerType !== "touch") drag = { from: place(event), to: null }; });
    svg.addEventListener("pointermove", (event) => {
      const here = place(event);
      if (drag) { if (Math.hypot(here.x - drag.from.x, here.y - drag.from.y) > 6) { drag.to = here; at = null; draw(); } return; }
      const found = scene.nearest(here, x, y, inside);
      if (found !== at) { at = found; draw(); }
    });
    svg.addEventListener("pointerup", () => {
      const done = drag; drag = null;
      if (done && done.to && Math.abs(done.to.x - done.from.x) > 8 && Math.abs(done.to.y - done.from.y) > 8) zoom(done.from, done.to);
      else if (at !== null && scene.enter && done) scene.enter(at, false);
      draw();
    });
    svg.addEventListener("pointerleave", () => { drag = null; if (document.activeElement !== svg) at = null; draw(); });
    svg.addEventListener("dblclick", reset);
    svg.addEventListener("blur", () => { at = null; draw(); });
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: 1, ArrowDown: -1, Home: -1e9, End: 1e9, PageUp: -10, PageDown: 10 }[event.key];
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (step !== undefined) at = scene.move(at, step);
      else if (event.key === "Escape") return reset();
      else if (event.key === "Enter" && at !== null && scene.enter) return scene.enter(at, true);
      else if (event.key === "+" || event.key === "-") {
        const centre = at === null ? { x: LEFT + inner.w / 2, y: TOP + inner.h / 2 } : scene.show(at, x, y, make("g"));
        const k = event.key === "+" ? 0.35 : 0.7;
        zoom({ x: centre.x - inner.w * k, y: centre.y - inner.h * k }, { x: centre.x + inner.w * k, y: centre.y + inner.h * k });
      } else return;
      event.preventDefault();
      draw();
    });
    redraws.push(() => { at = null; draw(); });
    draw();
    return { reset };
  }

  // ---- what was measured, and the fronts
  const points = data.groups.flatMap((group, g) => group.points.flatMap((run) => run.row.map((row, i) => ({
    group: g, seed: run.seed, row, evaluation: run.evaluation[i], values: run.values.map((column) => column[i]),
    architecture: run.architecture[i], front: i < run.front.length, feasible: run.feasible[i] === 1, member: run.member[i],
  }))));
  const leftOut = data.groups.reduce((sum, group) => sum + group.points.reduce((part, run) => part + run.left_out, 0), 0);
  const columns = [...data.objectives.map((one, m) => ({ label: `${one.column}, ${one.min ? "lower" : "higher"} is better`, short: one.column, min: one.min, of: (p) => p.values[m], objective: true })),
    { label: "evaluations", short: "evaluation", min: true, of: (p) => p.evaluation, objective: false }];

  function frontsScene(axes) {
    const visible = () => points.filter((p) => !hidden.has(p.group));
    const ordered = () => visible().filter((p) => p.front).sort((a, b) => axes.x.of(a) - axes.x.of(b) || a.group - b.group);
    return {
      label: () => `${axes.y.short} over ${axes.x.short} of ${visible().length} measured sub-networks`,
      xLabel: () => axes.x.label, yLabel: () => axes.y.label,
      extent: () => ({ x: range(visible().map(axes.x.of)), y: range(visible().map(axes.y.of)) }),
      paint(frame, x, y, inside) {
        for (const isFront of [false, true]) {
          if (isFront) data.groups.forEach((_, g) => hidden.has(g) || border(frame, g, x, y));
          for (const p of visible()) {
            if (p.front !== isFront || !inside(axes.x.of(p), axes.y.of(p))) continue;
            const kind = p.front ? "dot member" : p.feasible ? "dot" : "dot beyond";
            make("path", { class: `${kind} ${colour(p.group)}`, d: shape(p.group, p.front ? 4.2 : 2.6), transform: `translate(${x(axes.x.of(p)).toFixed(1)} ${y(axes.y.of(p)).toFixed(1)})` }, frame);
          }
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
      move(at, step) {
        const row = ordered();
        if (!row.length) return null;
        const place = at === null ? (step > 0 ? -1 : row.length) : row.indexOf(at);
        return row[Math.min(row.length - 1, Math.max(0, place + step))];
      },
      show(p, x, y, over) {
        const [px, py] = [x(axes.x.of(p)), y(axes.y.of(p))];
        make("path", { class: "chosen", d: shape(p.group, 7), transform: `translate(${px} ${py})` }, over);
        const lines = [make("div", {}, null, `${data.groups[p.group].name}, seed ${p.seed}, row ${p.row}${p.front ? ", on its front" : p.feasible ? "" : ", beyond a bound"}`)];
        lines.push(make("div", {}, null, data.objectives.map((one, m) => `${one.name} ${format(p.values[m])} ${one.unit}`).join("; ")));
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
    const drawn = chart(figure, 900, 470, frontsScene(axes));
    for (const [axis, select] of selects) select.addEventListener("change", () => { axes[axis] = columns[select.value]; drawn.reset(); });
    zoomOut.addEventListener("click", drawn.reset);
  }

  // ---- curves with bands of one standard error
  function curvesScene(series, label, xLabel, yLabel, stepped) {
    const visible = () => series.filter((one) => !hidden.has(one.group));
    const steps = () => [...new Set(visible().flatMap((one) => one.x))].sort((a, b) => a - b);
    const index = (one, value) => { let k = one.x.findIndex((a) => a > value); return k < 0 ? one.x.length - 1 : k - 1; };
    return {
      label: () => `${label} of ${visible().length} groups`, xLabel: () => xLabel, yLabel: () => yLabel,
      extent() {
        const all = visible().flatMap((one) => one.mean.flatMap((m, i) => (m === null ? [] : [m - (one.error[i] ?? 0), m + (one.error[i] ?? 0)])));
        return { x: range(steps(), 0.02), y: range(all) };
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
  chart(document.getElementById("hypervolume"), 900, 380, curvesScene(
    data.groups.map((group, g) => ({ group: g, ...group.curve })), "hypervolume over evaluations", "evaluations", `hypervolume [${data.hypervolume}]`, true));
  for (const one of data.quality) {
    const home = document.getElementById("predictors");
    make("h3", {}, home, one.objective);
    const pair = make("div", { class: "pair" }, home);
    for (const [key, name] of [["mape", "MAPE [%], lower is better"], ["kendall_tau", "Kendall tau, higher is better"]]) {
      const series = one.series.map((some) => ({ group: some.group, x: some.x, ...some[key] }));
      chart(make("figure", {}, pair), 470, 300, curvesScene(series, `${name} for ${one.objective}`, "examples", name, false));
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
  });
})();
