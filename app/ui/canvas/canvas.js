const UNITS = 400; // strokes are kept in these, whatever the size on screen
const SENT = 280; // pixels a side of the picture that is sent
const KEPT = "drawing-pad";
const STEP = 10; // units that an arrow key moves the pen

const pads = new WeakMap();

/** Called by Streamlit after every run; the pad itself is made once. */
export default function ({ parentElement, data, setStateValue }) {
  const pad = pads.get(parentElement) ?? makePad(parentElement);
  pads.set(parentElement, pad);
  pad.connect(setStateValue);
  const answer = document.querySelector(`.st-key-${data.answerKey}`);
  answer?.setAttribute("role", "status"); // a screen reader says what appears there
  return () => {
    pad.disconnect();
    pads.delete(parentElement);
  };
}

function makePad(root) {
  const canvas = root.querySelector("canvas");
  const hint = root.querySelector(".hint");
  const [brush, eraser, undo, clear] = ["brush", "eraser", "undo", "clear"].map((name) =>
    root.querySelector(`[name=${name}]`),
  );
  let strokes = remembered();
  let stroke = null; // the one being drawn
  let cleared = null; // what Clear took, so that Undo can give it back
  let pen = { x: UNITS / 2, y: UNITS / 2 }; // the keyboard's
  let send = null;
  let sent = "";

  const erasing = () => eraser.getAttribute("aria-pressed") === "true";

  function show() {
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    paint(canvas, stroke ? [...strokes, stroke] : strokes, getComputedStyle(canvas).color);
    if (root.activeElement === canvas || document.activeElement?.shadowRoot?.activeElement === canvas) showPen();
    hint.hidden = strokes.length > 0 || stroke !== null;
    undo.disabled = !strokes.length && !cleared;
    clear.disabled = !strokes.length;
  }

  function showPen() {
    if (!canvas.matches(":focus-visible")) return;
    const context = canvas.getContext("2d");
    const scale = canvas.width / UNITS;
    context.strokeStyle = getComputedStyle(canvas).color;
    context.lineWidth = 2 * scale;
    context.beginPath();
    context.arc(pen.x * scale, pen.y * scale, (brush.value / 2 + 3) * scale, 0, 2 * Math.PI);
    context.stroke();
  }

  function begin(point) {
    stroke = { width: Number(brush.value), erase: erasing(), points: [[point.x, point.y]] };
    cleared = null;
    show();
  }

  function extend(points) {
    stroke.points.push(...points.map(({ x, y }) => [x, y]));
    show();
  }

  function end() {
    if (!stroke) return;
    strokes.push(stroke);
    stroke = null;
    changed();
  }

  function changed() {
    show();
    remember(strokes);
    const png = strokes.some(({ erase }) => !erase) ? picture(strokes) : "";
    if (png !== sent) send("drawing", (sent = png));
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const units = (pixels, side) => Math.round((pixels / side) * UNITS * 10) / 10;
    return { x: units(event.clientX - box.left, box.width), y: units(event.clientY - box.top, box.height) };
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId); // a stroke may leave the paper and come back
    end();
    begin(place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.isPrimary || !stroke || !canvas.hasPointerCapture(event.pointerId)) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    extend((moves.length ? moves : [event]).map(place));
  });
  for (const type of ["pointerup", "pointercancel"])
    canvas.addEventListener(type, (event) => event.isPrimary && end());

  canvas.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (event.key === " ") stroke ? end() : begin(pen);
    else if (dx || dy) {
      const within = (value) => Math.min(UNITS, Math.max(0, value));
      pen = { x: within(pen.x + dx * STEP), y: within(pen.y + dy * STEP) };
      stroke ? extend([pen]) : show();
    } else return;
    event.preventDefault();
  });
  canvas.addEventListener("focus", show);
  canvas.addEventListener("blur", () => (stroke ? end() : show()));
  canvas.addEventListener("transitionend", show); // the theme's colours have changed

  function takeBack() {
    if (cleared) [strokes, cleared] = [cleared, null];
    else strokes.pop();
    changed();
  }
  undo.addEventListener("click", takeBack);
  root.querySelector(".pad").addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key !== "z") return;
    event.preventDefault();
    takeBack();
  });
  clear.addEventListener("click", () => {
    [cleared, strokes] = [strokes, []];
    eraser.setAttribute("aria-pressed", "false");
    changed();
  });
  eraser.addEventListener("click", () => eraser.setAttribute("aria-pressed", String(!erasing())));

  const resized = new ResizeObserver(show);
  resized.observe(canvas);
  return {
    connect(setStateValue) {
      const first = send === null;
      send = setStateValue;
      if (first && strokes.length) changed(); // a drawing from before a reload wants its answer
    },
    disconnect: () => resized.disconnect(),
  };
}

function paint(canvas, strokes, ink) {
  const context = canvas.getContext("2d");
  const scale = canvas.width / UNITS;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, UNITS, UNITS);
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
    context.lineTo(...points.at(-1));
    context.stroke();
  }
  context.globalCompositeOperation = "source-over";
  context.setTransform(1, 0, 0, 1, 0, 0);
}

/** Black on white, whatever the theme, as a data URL. */
function picture(strokes) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SENT;
  paint(canvas, strokes, "#000");
  const context = canvas.getContext("2d");
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, SENT, SENT);
  return canvas.toDataURL("image/png");
}

/** In this tab only: nobody else's page can show the drawing. */
function remember(strokes) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(strokes));
  } catch {
    // storage is full or forbidden; the drawing then lives as long as the page
  }
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
}
