const UNITS = 400; // from the paper's top to its bottom; strokes are kept in these, whatever the size on screen
const DOT = 1.5; // ink that reaches no further than so many widths of the brush

const HARDLY = 0.01; // units: a line without any length has no ink, by HTML's standard and in Chromium 156

const isDot = ([[x, y], ...others]) => others.every((other) => other[0] === x && other[1] === y);

/** Strokes on a canvas, and nothing else. */
function paint(canvas, strokes, ink) {
  const context = canvas.getContext("2d");
  const scale = canvas.height / UNITS;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, canvas.width / scale, UNITS);
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = ink;
  for (const { width, erase, points } of strokes) {
    context.globalCompositeOperation = erase ? "destination-out" : "source-over";
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(...points[0]);
    for (let i = 1; i < points.length; i++) {
      const [x, y] = points[i - 1];
      const [toX, toY] = points[i];
      context.quadraticCurveTo(x, y, (x + toX) / 2, (y + toY) / 2); // through the middles: no corners
    }
    const [x, y] = points.at(-1);
    context.lineTo(isDot(points) ? x + HARDLY : x, y);
    context.stroke();
  }
  context.globalCompositeOperation = "source-over";
  context.setTransform(1, 0, 0, 1, 0, 0);
}

/** Black on white, whatever the theme, as a data URL; empty where no ink is left. A dot alone is blank paper. */
function picture(strokes, { width, height }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  paint(canvas, strokes, "#000");
  const reach = (reachOfInk(context) / height) * UNITS;
  if (!reach) return "";
  const widest = Math.max(...strokes.filter(({ erase }) => !erase).map(({ width }) => width));
  if (reach <= DOT * widest) context.clearRect(0, 0, width, height);
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  return canvas.toDataURL("image/png");
}

/** The longer side of the box around all ink, in pixels; 0 without any. */
function reachOfInk(context) {
  const { data, width, height } = context.getImageData(0, 0, context.canvas.width, context.canvas.height);
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let i = 3, at = 0; i < data.length; i += 4, at++) {
    if (data[i] < 128) continue; // an edge that the eraser left
    const x = at % width;
    const y = (at - x) / width;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = y;
  }
  return right < 0 ? 0 : 1 + Math.max(right - left, bottom - top);
}
