// The title panel and the layer list, which is also the legend.
(function () {
  "use strict";
  const citygeo = (window.citygeo = window.citygeo || {});
  const DEPTH_COLOURS = ["#d9622c", "#8bcbe3", "#388cc4", "#204589"];
  const el = (...args) => citygeo.el(...args);
  const label = (...args) => citygeo.label(...args);

  function measures(panel) {
    const table = el("table", "measures");
    for (const m of panel.measures) {
      const name = el("th", "", label(m.label));
      name.scope = "row";
      table.appendChild(el("tr", "", name, el("td", "strong", m.value), el("td", "", m.detail)));
    }
    return table;
  }

  const VERDICTS = {
    ok: { sign: "✓", en: "ok", zh: "正常" },
    look: { sign: "!", en: "look", zh: "留意" },
    bad: { sign: "×", en: "bad", zh: "较差" },
  };

  function checks(panel) {
    const table = el("table", "measures checks");
    for (const c of panel.checks) {
      const verdict = VERDICTS[c.verdict];
      const name = el("th", "", label(c.label));
      name.scope = "row";
      const sign = el("span", "verdict verdict-" + c.verdict, verdict.sign);
      sign.title = verdict.en + " " + verdict.zh;
      sign.setAttribute("role", "img");
      sign.setAttribute("aria-label", sign.title);
      table.appendChild(el("tr", "", name, el("td", "strong", c.value), el("td", "", sign)));
    }
    return table;
  }

  function depth(panel) {
    const bar = el("div", "stack");
    const list = el("ul", "depth");
    panel.depth.forEach((d) => {
      const colour = DEPTH_COLOURS[d.depth];
      const piece = el("i", "");
      piece.style.width = 100 * d.share + "%";
      piece.style.background = colour;
      bar.appendChild(piece);
      const key = el("i", "key");
      key.style.background = colour;
      list.appendChild(el("li", "", key, label(d.label), " ", el("b", "", d.value)));
    });
    bar.setAttribute("aria-hidden", "true");
    return [el("h2", "", label(panel.depthTitle)), bar, list];
  }

  function worst(panel, show) {
    const list = el("ol", "worst");
    for (const w of panel.worst) {
      const button = el(
        "button",
        "worst-button",
        el("span", "badge", w.badge),
        el("span", "worst-place", w.place),
        el("span", "worst-figure", w.figure),
        el("span", "worst-detail", w.detail),
      );
      button.type = "button";
      button.addEventListener("click", () => show(w));
      list.appendChild(el("li", "", button));
    }
    return [el("h2", "", label(panel.worstTitle)), list];
  }

  citygeo.titlePanel = function (panel, page, show) {
    const head = el("summary", "panel-head", el("h1", "", label(panel.title)));
    if (panel.figure) {
      const figure = el("div", "figure", el("strong", "", panel.figure));
      if (panel.caption) figure.append(" ", label(panel.caption));
      if (panel.badge) figure.append(" ", label(panel.badge, "caution"));
      head.appendChild(figure);
      if (panel.share !== null) head.appendChild(citygeo.bar(panel.share));
    }
    const body = el("div", "panel-body");
    if (panel.measures.length) body.appendChild(measures(panel));
    if (panel.checks.length) body.appendChild(checks(panel));
    if (panel.depth.length) body.append(...depth(panel));
    if (panel.worst.length) body.append(...worst(panel, show));
    const notes = panel.notes.slice();
    if (page.simplified) {
      notes.push({ en: "Lines are simplified for the map; files hold them in full.", zh: "地图线条已简化,完整数据见文件。" });
    }
    if (notes.length) body.appendChild(el("ul", "notes", ...notes.map((note) => el("li", "", label(note)))));
    const box = el("details", "panel title", head, body);
    box.open = !citygeo.isNarrow();
    return box;
  };

  function legend(layer) {
    const data = layer.data;
    const box = el("div", "legend");
    if (data.unit) box.appendChild(el("div", "unit", label(data.unit)));
    if (data.square) box.appendChild(citygeo.square(data.square, data.styles));
    for (const entry of data.legend) {
      const row = el("div", "entry", citygeo.swatch(data.kind, data.styles[entry.style]), label(entry.label));
      if (entry.note) row.appendChild(el("span", "note", entry.note));
      box.appendChild(row);
    }
    return box;
  }

  citygeo.layerPanel = function (layers, toggle) {
    const list = el("div", "panel-body layer-list");
    // top of the map first; then names; then what is off at start
    const rank = (layer) => (layer.data.shown ? (layer.data.kind === "labels" ? 1 : 0) : 2);
    const ordered = layers.slice().reverse().sort((a, b) => rank(a) - rank(b));
    for (const layer of ordered) {
      const input = el("input", "");
      input.type = "checkbox";
      input.checked = layer.data.shown;
      input.dataset.layer = layer.data.key;
      const item = el("section", "layer", el("label", "", input, label(layer.data.name)));
      const detail = legend(layer);
      item.appendChild(detail);
      const reflect = () => (detail.hidden = !input.checked);
      input.addEventListener("change", () => {
        toggle(layer, input.checked);
        reflect();
      });
      layer.setShown = (isShown) => {
        if (input.checked !== isShown) {
          input.checked = isShown;
          input.dispatchEvent(new Event("change"));
        }
      };
      reflect();
      list.appendChild(item);
    }
    const head = el("summary", "panel-head", el("h1", "", label({ en: "Layers and legend", zh: "图层与图例" })));
    const box = el("details", "panel layers", head, list);
    box.open = !citygeo.isNarrow();
    return box;
  };
})();
