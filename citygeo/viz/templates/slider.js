// The time slider: shows of each layer what is reached by then.
(function () {
  "use strict";
  const citygeo = (window.citygeo = window.citygeo || {});
  const el = (...args) => citygeo.el(...args);
  const MAX_TICKS = 8;
  const ROUND_STEPS = [0.5, 1, 2, 2.5, 5, 10, 15, 20, 30, 60];
  const SLACK = 1e-6;

  function showUntil(layer, minutes) {
    const since = layer.data.since;
    layer.items.forEach((item, i) => {
      const isIn = since[i] <= minutes + SLACK;
      if (isIn === layer.group.hasLayer(item)) return;
      if (isIn) layer.group.addLayer(item);
      else layer.group.removeLayer(item);
    });
  }

  // The stops of all layers, each once; a note is that of the first layer that has one.
  function allStops(layers) {
    const notes = new Map();
    for (const layer of layers)
      for (const stop of layer.data.stops) notes.set(stop.minutes, notes.get(stop.minutes) || stop.note);
    return [...notes].map(([minutes, note]) => ({ minutes, note })).sort((a, b) => a.minutes - b.minutes);
  }

  function isWhole(minutes, step) {
    return Math.abs(minutes / step - Math.round(minutes / step)) < SLACK;
  }

  function ticks(stops) {
    const row = el("div", "ticks");
    row.setAttribute("aria-hidden", "true");
    const last = stops[stops.length - 1].minutes;
    const fitting = ROUND_STEPS.filter((s) => stops.filter((stop) => isWhole(stop.minutes, s)).length <= MAX_TICKS);
    const step = fitting.find((s) => isWhole(last, s)) || fitting[0];
    const isFew = stops.length <= MAX_TICKS;
    stops.forEach((stop, i) => {
      if (!isFew && !(step && isWhole(stop.minutes, step))) return;
      const tick = el("span", "", String(stop.minutes));
      const share = i / (stops.length - 1);
      // the middle of the thumb travels from 8 px to 8 px before the end
      tick.style.left = "calc(" + 100 * share + "% + " + (8 - 16 * share) + "px)";
      row.appendChild(tick);
    });
    return row;
  }

  // Return the panel with the slider, or null where there is nothing to choose.
  citygeo.slider = function (layers, changed) {
    const timed = layers.filter((layer) => layer.data.since);
    const stops = allStops(timed);
    if (stops.length < 2) return null;
    const input = el("input", "range");
    Object.assign(input, { type: "range", id: "citygeo-minutes", min: 0, max: stops.length - 1, step: 1 });
    input.value = stops.length - 1;
    const name = el("label", "slider-name");
    name.htmlFor = input.id;
    const note = el("output", "note");
    note.htmlFor.add(input.id);
    const read = () => {
      const stop = stops[Number(input.value)];
      const label = { en: "Within " + stop.minutes + " min", zh: stop.minutes + "分钟内" };
      name.replaceChildren(citygeo.label(label));
      note.textContent = stop.note;
      input.setAttribute("aria-valuetext", [label.en, label.zh, stop.note].filter(Boolean).join(", "));
      return stop.minutes;
    };
    read();
    input.addEventListener("input", () => {
      const minutes = read();
      for (const layer of timed) showUntil(layer, minutes);
      changed();
    });
    return el("div", "panel slider", el("div", "slider-head", name, note), input, ticks(stops));
  };
})();
