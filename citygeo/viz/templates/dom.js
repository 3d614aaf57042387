// Elements whose text is always set with textContent: no string ever becomes markup.
(function () {
  "use strict";
  const citygeo = (window.citygeo = window.citygeo || {});

  citygeo.el = function (tag, className, ...children) {
    const element = document.createElement(tag);
    if (className) element.className = "cg-" + className.split(" ").join(" cg-");
    for (const child of children) {
      if (child === null || child === undefined) continue;
      element.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
    }
    return element;
  };

  // A label in two languages, each marked as such for screen readers and fonts.
  citygeo.label = function (label, className) {
    const el = citygeo.el;
    const whole = el("span", className || "label", el("span", "en", label.en));
    if (label.zh) {
      const zh = el("span", "zh", label.zh);
      zh.lang = "zh-CN";
      whole.append(" ", zh);
    }
    return whole;
  };

  citygeo.bar = function (share, className) {
    const bar = citygeo.el("div", className || "bar", citygeo.el("i", ""));
    bar.firstChild.style.width = 100 * share + "%";
    bar.setAttribute("aria-hidden", "true");
    return bar;
  };

  // What tooltip and popup show: a heading and a table of fields.
  citygeo.card = function (row, fields) {
    const el = citygeo.el;
    const table = el("table", "");
    fields.forEach((field, i) => {
      const value = row[i + 1];
      if (value === "–") return;
      const name = el("th", "", citygeo.label(field));
      name.scope = "row";
      table.appendChild(el("tr", "", name, el("td", "", value)));
    });
    return el("div", "card", el("div", "card-head", row[0]), table);
  };

  citygeo.read = function (id) {
    return JSON.parse(document.getElementById(id).textContent);
  };
})();
