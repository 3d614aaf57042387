// Marker symbols and legend swatches as SVG elements, built node by node.
(function () {
  "use strict";
  const citygeo = (window.citygeo = window.citygeo || {});
  const SVG = "http://www.w3.org/2000/svg";
  const SYMBOLS = {
    flame:
      "M12.6 4.2c.5 2.5-.6 3.9-1.9 5.3-1.4 1.5-2.9 3-2.9 5.5a4.7 4.7 0 0 0 9.4.2c0-2-.9-3.5-1.9-4.9-.2 1.1-.6 1.9-1.4 " +
      "2.4.2-3-.1-6.3-1.3-8.5z",
    dot: "M12 7.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9z",
  };

  function node(tag, attributes, children) {
    const element = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    for (const child of children || []) element.appendChild(child);
    return element;
  }

  citygeo.symbol = function (style, size) {
    return node("svg", { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true" }, [
      node("circle", { cx: 12, cy: 12, r: 10.6, fill: style.color, stroke: "#ffffff", "stroke-width": 2 }),
      node("path", { d: SYMBOLS[style.symbol] || SYMBOLS.dot, fill: "#ffffff" }),
    ]);
  };

  citygeo.swatch = function (kind, style) {
    if (kind === "sites") return citygeo.symbol(style, 18);
    const paint = {
      stroke: style.color,
      "stroke-width": Math.min(style.weight * (style.grow ? 1.6 : 1), 4),
      "stroke-dasharray": style.dashArray || "none",
      fill: "none",
    };
    let shape;
    if (kind === "lines") {
      shape = node("line", { x1: 1, y1: 8, x2: 23, y2: 8, "stroke-linecap": "round", ...paint });
      shape.setAttribute("stroke-width", Math.max(style.weight * 1.8, 1.5));
    } else if (kind === "points") {
      shape = node("circle", { cx: 12, cy: 8, r: Math.min(style.radius || 5, 7), ...paint, fill: style.fillColor, "fill-opacity": style.fillOpacity });
    } else {
      shape = node("rect", { x: 2, y: 2, width: 20, height: 12, rx: 2, ...paint });
      if (kind !== "outlines") {
        shape.setAttribute("fill", style.fillColor);
        shape.setAttribute("fill-opacity", style.fillOpacity);
      }
    }
    return node("svg", { viewBox: "0 0 24 16", width: 24, height: 16, "aria-hidden": "true" }, [shape]);
  };
})();
