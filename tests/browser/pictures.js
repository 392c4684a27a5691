// Takes a drawn mermaid SVG apart: shapes and rows of text in plain numbers, without style or ids.
(svg) => {
  const view = svg.viewBox.baseVal;
  const size = Number.parseFloat(getComputedStyle(svg.querySelector("text")).fontSize);
  const home = svg.getScreenCTM().inverse();
  const round = (n) => Math.round(n * 10) / 10;
  const at = (node, x, y) => {
    const point = new DOMPoint(x, y).matrixTransform(home.multiply(node.getScreenCTM()));
    return [point.x, point.y];
  };
  // Every place is moved, none is turned or scaled: a shift says it all.
  const shift = (node) => at(node, 0, 0).map(round);
  const found = [];
  const add = (tag, kind, attributes) => found.push([tag, { class: kind, ...attributes }]);

  const rectangle = (node, kind, rounded) => {
    const box = node.getBBox();
    const [x, y] = at(node, box.x, box.y);
    const height = Math.min(box.height, view.y + view.height - y);
    const radius = rounded ? box.height / 2 : Number(node.getAttribute("rx") || 0);
    add("rect", kind, {
      x: round(x), y: round(y), width: round(box.width), height: round(height),
      ...(radius ? { rx: round(radius) } : {}),
    });
  };
  const head = (line, atStart) => {
    const total = line.getTotalLength();
    const place = (n) => line.getPointAtLength(atStart ? n : total - n);
    const end = place(0);
    const before = place(Math.min(size / 3, total / 2));
    const length = Math.hypot(end.x - before.x, end.y - before.y) || 1;
    const [dx, dy] = [(end.x - before.x) / length, (end.y - before.y) / length];
    // Mermaid's own heads reach 4 units beyond the line, to the box.
    const tip = [end.x + 4 * dx, end.y + 4 * dy];
    const base = [tip[0] - dx * size * 0.6, tip[1] - dy * size * 0.6];
    const wide = size * 0.25;
    const corners = [
      tip, [base[0] - dy * wide, base[1] + dx * wide], [base[0] + dy * wide, base[1] - dx * wide],
    ];
    const points = corners.map(([x, y]) => at(line, x, y).map(round).join(",")).join(" ");
    add("polygon", "head", { points });
  };
  const edge = (node) => {
    const dots = node.matches(".edge-pattern-dotted, .messageLine1");
    const [x, y] = shift(node);
    const d = node.tagName === "line"
      ? `M${["x1", "y1"].map((n) => node.getAttribute(n))}L${["x2", "y2"].map((n) => node.getAttribute(n))}`
      : node.getAttribute("d").replace(/-?\d+\.\d+/g, (n) => round(Number(n)));
    add("path", "edge", {
      d,
      ...(x || y ? { transform: `translate(${x} ${y})` } : {}),
      ...(dots ? { "stroke-dasharray": `${size / 8} ${size / 4}` } : {}),
    });
    if (node.getAttribute("marker-start")) head(node, true);
    if (node.getAttribute("marker-end")) head(node, false);
  };
  const words = (node) => {
    // A row is a <tspan>, or the whole text where it has none.
    const rows = node.querySelectorAll(".text-outer-tspan");
    let start = 0;
    for (const row of rows.length ? rows : [node]) {
      const text = row.textContent;
      if (!text.trim()) continue;
      const first = node.getStartPositionOfChar(start);
      const last = node.getEndPositionOfChar(start + text.length - 1);
      const extent = node.getExtentOfChar(start);
      if (node.matches(".messageText")) rectangle(node, "ground"); // lines go through its place
      const [x, y] = at(node, (first.x + last.x) / 2, extent.y + extent.height / 2);
      add("text", "words", { x: round(x), y: round(y + size * 0.36), text: text.trim() });
      start += text.length;
    }
  };
  const kinds = [
    ["rect.background", (node) => node.getBBox().width && rectangle(node, "ground")],
    [".cluster rect:not(.background)", (node) => node.getBBox().width && rectangle(node, "group")],
    ["rect.rect", () => {}],
    [".node rect:not(.label-container)", () => {}],
    ["rect", (node) => node.getBBox().width && rectangle(node, "box")],
    ["line.actor-line", (node) => {
      const [x, y] = at(node, Number(node.getAttribute("x1")), Number(node.getAttribute("y1")));
      add("path", "life", { d: `M${round(x)},${round(y)}V${round(view.y + view.height)}` });
    }],
    [".flowchart-link, .messageLine0, .messageLine1", edge],
    // Two paths of 40,000 characters, drawn as if by hand: a box with round ends.
    [".outer-path path:first-child", (node) => rectangle(node, "box", true)],
    [".outer-path path", () => {}],
    ["path, polygon, circle", (node) => {
      const [x, y] = shift(node);
      const names = { path: ["d"], polygon: ["points"], circle: ["cx", "cy", "r"] }[node.tagName];
      const shape = names.map((name) => [
        name,
        (node.getAttribute(name) || "0").replace(/-?\d+\.\d+/g, (n) => round(Number(n))),
      ]);
      add(node.tagName, "box", {
        ...Object.fromEntries(shape), ...(x || y ? { transform: `translate(${x} ${y})` } : {}),
      });
    }],
    ["text", words],
  ];
  for (const node of svg.querySelectorAll("rect, line, path, polygon, circle, text")) {
    if (node.closest("defs, marker, clipPath, symbol")) continue;
    const kind = kinds.find(([selector]) => node.matches(selector));
    if (kind) kind[1](node);
  }
  return {
    size, view: [view.x, view.y, view.width, view.height].map(round), shapes: found,
  };
};
