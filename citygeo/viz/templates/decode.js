// Packed geometry (see packed.py) to arrays of [lat, lon].
(function () {
  "use strict";
  const citygeo = (window.citygeo = window.citygeo || {});
  const STEPS_PER_DEGREE = 100000;

  function varints(text) {
    const raw = atob(text);
    const out = [];
    let value = 0;
    let scale = 1;
    for (let i = 0; i < raw.length; i++) {
      const byte = raw.charCodeAt(i);
      value += (byte & 127) * scale;
      if (byte & 128) {
        scale *= 128;
      } else {
        out.push(value);
        value = 0;
        scale = 1;
      }
    }
    return out;
  }

  const unzigzag = (n) => (n % 2 ? -(n + 1) / 2 : n / 2);

  // Features; each a list of groups (polygons), each a list of parts (rings, lines), each a list of points.
  citygeo.unpack = function (countsText, stepsText) {
    const counts = varints(countsText);
    const steps = varints(stepsText);
    const features = [];
    let c = 0;
    let s = 0;
    let lon = 0;
    let lat = 0;
    while (c < counts.length) {
      const groups = new Array(counts[c++]);
      for (let g = 0; g < groups.length; g++) {
        const parts = new Array(counts[c++]);
        for (let p = 0; p < parts.length; p++) {
          const points = new Array(counts[c++]);
          for (let i = 0; i < points.length; i++) {
            lon += unzigzag(steps[s++]);
            lat += unzigzag(steps[s++]);
            points[i] = [lat / STEPS_PER_DEGREE, lon / STEPS_PER_DEGREE];
          }
          parts[p] = points;
        }
        groups[g] = parts;
      }
      features.push(groups);
    }
    return features;
  };
})();
