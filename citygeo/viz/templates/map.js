// The map: made without tiles, drawn from the JSON of the page.
(function () {
  "use strict";
  const citygeo = (window.citygeo = window.citygeo || {});

  citygeo.isNarrow = () => window.innerWidth < 720 || window.innerHeight < 480;

  // A default marker that somebody adds shall not look for a picture on a server.
  function useInlineMarker() {
    const probe = L.DomUtil.create("div", "leaflet-default-icon-path", document.body);
    const match = /url\("?(data:[^")]+)"?\)/.exec(getComputedStyle(probe).backgroundImage);
    probe.remove();
    if (match) L.Icon.Default.mergeOptions({ imagePath: " ", iconUrl: match[1], iconRetinaUrl: match[1], shadowUrl: null });
    if (match) L.Icon.Default.prototype._getIconUrl = function (name) { return this.options[name + "Url"]; };
  }

  citygeo.makeMap = function (id) {
    useInlineMarker();
    return L.map(id, {
      center: [0, 0],
      zoom: 2,
      zoomControl: false,
      attributionControl: false,
      zoomSnap: 0.25,
      zoomDelta: 0.5,
      wheelPxPerZoomLevel: 90,
      minZoom: 3,
      maxZoom: 19,
    });
  };

  function place(map, element) {
    map.getContainer().appendChild(element);
    L.DomEvent.disableClickPropagation(element);
    L.DomEvent.disableScrollPropagation(element);
    return element;
  }

  function fit(map, bounds, panels, maxZoom) {
    if (!bounds) return;
    const isNarrow = citygeo.isNarrow();
    const [title, list, slider] = panels;
    const [left, right] = [title, list].map((panel) => (panel && panel.open && !isNarrow ? panel.offsetWidth + 24 : 16));
    const top = isNarrow && title ? title.offsetHeight + 24 : 20;
    const under = slider ? slider.offsetHeight : 0;
    const bottom = under + (isNarrow && list && !list.open ? list.offsetHeight + 56 : 44);
    map.fitBounds(bounds, { paddingTopLeft: [left, top], paddingBottomRight: [right, bottom], animate: false, maxZoom: maxZoom || 16 });
  }

  function controls(map, page, home) {
    L.control.scale({ imperial: false, position: "bottomleft", maxWidth: 140 }).addTo(map);
    L.control.zoom({ position: "bottomright", zoomInTitle: "Zoom in 放大", zoomOutTitle: "Zoom out 缩小" }).addTo(map);
    const whole = L.control({ position: "bottomright" });
    whole.onAdd = () => {
      const button = citygeo.el("button", "home", "⌂");
      button.type = "button";
      button.title = "Back to the first view 返回初始视图";
      button.setAttribute("aria-label", button.title);
      L.DomEvent.disableClickPropagation(button);
      button.addEventListener("click", home);
      return button;
    };
    whole.addTo(map);
    const credit = L.control({ position: "bottomright" });
    credit.onAdd = () => citygeo.el("div", "credit", [...page.attribution, "Leaflet", "citygeo"].join(" · "));
    credit.addTo(map);
  }

  citygeo.draw = function (map, id) {
    const page = citygeo.read(id);
    const renderers = citygeo.panes(map);
    const layers = page.layers.map((key) => citygeo.makeLayer(citygeo.read(key), renderers));
    const container = map.getContainer();
    container.classList.add("citygeo");

    const toggle = (layer, isShown) => {
      if (isShown) map.addLayer(layer.group);
      else map.removeLayer(layer.group);
      citygeo.restack(map, layers);
      declutter();
    };
    // Go to a place of the title panel, and say what it is.
    const show = (spot) => {
      const layer = layers.find((one) => one.data.key === spot.layer);
      const row = layer && layer.data.rows && layer.data.rows[spot.row];
      if (!row) return;
      layer.setShown(true);
      if (citygeo.isNarrow()) title.open = list.open = false;
      const bounds = layer.items[spot.row].getBounds();
      fit(map, bounds.pad(0.25), [title, list, slider], 14.5);
      const mark = layers.find((one) => one.data.key === spot.mark);
      const at = mark ? mark.items[Number(spot.badge) - 1].getLatLng() : bounds.getCenter();
      L.popup({ className: "cg-popup", maxWidth: 300 })
        .setLatLng(at)
        .setContent(citygeo.card(row, layer.data.fields))
        .openOn(map);
    };

    const title = page.panel ? place(map, citygeo.titlePanel(page.panel, page, show)) : null;
    const list = layers.length ? place(map, citygeo.layerPanel(layers, toggle)) : null;
    const slider = citygeo.slider(layers, () => {
      map.closePopup();
      citygeo.restack(map, layers);
    });
    if (slider) {
      place(map, slider);
      container.classList.add("cg-has-slider");
    }
    const home = () => fit(map, page.bounds, [title, list, slider]);
    controls(map, page, home);
    home();
    for (const layer of layers) if (layer.data.shown) map.addLayer(layer.group);
    const declutter = citygeo.declutter(map, layers);
    citygeo.followZoom(map, layers);
    citygeo.oneTooltip(map);
    citygeo.restack(map, layers);
    declutter();
    citygeo.map = map;
    citygeo.layers = layers;
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        window.__citygeo_ready = true;
      }),
    );
  };
})();
