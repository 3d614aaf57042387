// Layers as Leaflet groups on two canvases: one below, which lets the pointer through, and one above.
(function () {
  "use strict";
  const citygeo = (window.citygeo = window.citygeo || {});
  const REFERENCE_ZOOM = 12;

  const growth = (zoom) => Math.min(Math.max(Math.pow(2, (zoom - REFERENCE_ZOOM) / 2.6), 0.55), 4.5);

  citygeo.panes = function (map) {
    const pane = (name, z) => {
      const element = map.getPane(name) || map.createPane(name);
      element.style.zIndex = z;
      return name;
    };
    const back = pane("citygeo-back", 380);
    map.getPane(back).style.pointerEvents = "none";
    return {
      back: L.canvas({ pane: back, padding: 0.3 }),
      front: L.canvas({ pane: pane("citygeo-front", 410), padding: 0.3, tolerance: 4 }),
    };
  };

  function makeSite(point, style, row) {
    const size = 26;
    const icon = L.divIcon({ className: "cg-site", html: citygeo.symbol(style, size), iconSize: [size, size] });
    const marker = L.marker(point, { icon: icon, riseOnHover: true, alt: row ? row[0] : "" });
    marker.on("add", () => marker.getElement() && marker.getElement().setAttribute("aria-label", row ? row[0] : ""));
    return marker;
  }

  function makeLabel(point, style, text, row) {
    const element = citygeo.el("span", style.badge ? "badge" : "place", text);
    const icon = L.divIcon({ className: "cg-text", html: element, iconSize: [0, 0] });
    const isLive = Boolean(row);
    const marker = L.marker(point, { icon: icon, interactive: isLive, keyboard: isLive });
    if (isLive) marker.on("add", () => marker.getElement().setAttribute("aria-label", row[0]));
    return marker;
  }

  function makeShape(layer, groups, style, options) {
    const parts = groups.flat();
    const path = { ...style, ...options };
    if (layer.kind === "lines") return L.polyline(parts, { ...path, fill: false, smoothFactor: 0.8, lineJoin: "round" });
    if (layer.kind === "outlines") {
      // only the line itself takes the pointer: what lies inside keeps its own tooltip
      return L.polyline(parts.map((ring) => [...ring, ring[0]]), { ...path, fill: false, smoothFactor: 0.6, lineJoin: "round" });
    }
    if (layer.kind === "areas") return L.polygon(groups, { ...path, fill: true, smoothFactor: 0.6 });
    return L.featureGroup(parts.flat().map((point) => L.circleMarker(point, path)));
  }

  // Return {data, group, items}; items are in the order of the features.
  citygeo.makeLayer = function (data, renderers) {
    const features = citygeo.unpack(data.counts, data.steps);
    const isLive = Boolean(data.rows);
    const options = { renderer: isLive ? renderers.front : renderers.back, interactive: isLive };
    const items = features.map((groups, i) => {
      const style = data.styles[data.styleOf[i]];
      const row = data.rows ? data.rows[i] : null;
      let item;
      if (data.kind === "sites") item = makeSite(groups[0][0][0], style, row);
      else if (data.kind === "labels") item = makeLabel(groups[0][0][0], style, data.texts[i], row);
      else item = makeShape(data, groups, style, options);
      item.cgRow = row;
      if (item.eachLayer) item.eachLayer((part) => (part.cgRow = row));
      return item;
    });
    const group = L.featureGroup(items);
    if (isLive) {
      const content = (item) => citygeo.card(item.cgRow, data.fields);
      const isMark = data.kind === "sites" || data.kind === "labels";
      group.bindTooltip(content, { sticky: !isMark, className: "cg-tip", opacity: 1, direction: "auto" });
      group.bindPopup(content, { className: "cg-popup", maxWidth: 300 });
    }
    return { data: data, group: group, items: items };
  };

  // One tooltip at a time, and none beside a popup: focus and pointer each open their own.
  citygeo.oneTooltip = function (map) {
    let open = null;
    const closeBut = (next) => {
      if (open && open !== next && map.hasLayer(open)) map.closeTooltip(open);
      open = next;
    };
    map.on("tooltipopen", (event) => closeBut(event.tooltip));
    map.on("popupopen", () => closeBut(null));
  };

  // Road widths follow the zoom, so that a street map does not drown in its own lines.
  citygeo.followZoom = function (map, layers) {
    const growing = layers.filter((layer) => layer.data.styles.some((style) => style.grow));
    const apply = () => {
      const factor = growth(map.getZoom());
      for (const layer of growing)
        layer.items.forEach((item, i) => {
          const style = layer.data.styles[layer.data.styleOf[i]];
          item.setStyle({ weight: style.weight * factor });
        });
    };
    map.on("zoomend", apply);
    apply();
  };

  // Leaflet draws what was added last on top: put the order of the layers back after one is switched on.
  citygeo.restack = function (map, layers) {
    for (const layer of layers)
      if (map.hasLayer(layer.group) && !["sites", "labels"].includes(layer.data.kind)) layer.group.bringToFront();
  };

  // Hide names that would lie over another; badges, which rank, go first.
  citygeo.declutter = function (map, layers) {
    const labels = layers.filter((layer) => layer.data.kind === "labels").reverse();
    const apply = () => {
      const taken = layers
        .filter((layer) => layer.data.kind === "sites" && map.hasLayer(layer.group))
        .flatMap((layer) => layer.items.map((item) => item.getElement().getBoundingClientRect()));
      for (const layer of labels) {
        if (!map.hasLayer(layer.group)) continue;
        for (const item of layer.items) {
          const element = item.getElement() && item.getElement().firstChild;
          if (!element) continue;
          element.style.visibility = "visible";
          const box = element.getBoundingClientRect();
          const hits = taken.some(
            (t) => box.left < t.right + 3 && box.right + 3 > t.left && box.top < t.bottom + 1 && box.bottom + 1 > t.top,
          );
          if (hits) element.style.visibility = "hidden";
          else taken.push(box);
        }
      }
    };
    map.on("zoomend moveend", apply);
    return apply;
  };
})();
