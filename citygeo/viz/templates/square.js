// The legend of a map of two numbers at once: a table of colours, one number to the right, the other upwards.
(function () {
  "use strict";
  const citygeo = (window.citygeo = window.citygeo || {});

  // Black or white, whichever reads better on a colour (relative luminance of WCAG 2).
  function inkOn(colour) {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const part = parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000000" : "#ffffff";
  }

  citygeo.square = function (square, styles) {
    const el = citygeo.el;
    const table = el("table", "square");
    const head = (scope, label) => {
      const cell = el("th", scope, citygeo.label(label));
      cell.scope = scope;
      return cell;
    };
    square.rows.forEach((row, i) => {
      const line = el("tr", "", head("row", row));
      square.styles[i].forEach((style, j) => {
        const colour = styles[style].fillColor || styles[style].color;
        const field = el("td", "", square.notes[i][j]);
        field.style.background = colour;
        field.style.color = inkOn(colour);
        line.appendChild(field);
      });
      table.appendChild(line);
    });
    table.appendChild(el("tr", "", el("td", "corner"), ...square.columns.map((column) => head("col", column))));
    const up = el("div", "axis", el("b", "", "↑ "), citygeo.label(square.y));
    const right = el("div", "axis axis-x", el("b", "", "→ "), citygeo.label(square.x));
    return el("div", "square-box", up, table, right);
  };
})();
