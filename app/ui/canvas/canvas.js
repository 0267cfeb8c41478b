const STEP = 10; // units that an arrow key moves the pen
const REST = 400; // ms that the pen rests in a stroke until a guess is asked for
const STILL = 4; // units within which it rests
const HAND = 2000; // ms after a pen was near in which touches are the hand that holds it

const pads = new WeakMap();

/** Called by Streamlit after every run; the pad itself is made once. */
export default function ({ parentElement, data, setStateValue }) {
  const pad = pads.get(parentElement) ?? makePad(parentElement, JSON.parse(data.paper));
  pads.set(parentElement, pad);
  pad.connect(setStateValue, data.answerKey, data.texts);
  return () => {
    pad.disconnect();
    pads.delete(parentElement);
  };
}

/** Drawings are kept as `name`, and sent as pictures of `size`: width and height in pixels. */
function makePad(root, { name, size }) {
  const across = (UNITS * size.width) / size.height; // units from the paper's left to its right
  const paper = root.querySelector(".paper");
  paper.append(paper.querySelector("template").content.cloneNode(true)); // no paper is there before it can be drawn on
  const canvas = paper.querySelector("canvas");
  const hint = root.querySelector(".hint");
  const [brush, eraser, undo, redo, clear, next] = ["brush", "eraser", "undo", "redo", "clear", "next"].map((name) =>
    root.querySelector(`[name=${name}]`),
  );
  const texts = {};
  let written = ""; // the same, as they came
  const history = makeHistory(remembered(name));
  const recent = makeRecent(root.querySelector(".recent"), `${name}-recent`, size, texts, (strokes) => {
    putAside();
    change(strokes);
  });
  const watch = makeWatch(
    root.querySelector("[role=status]"),
    texts,
    () => send("drawing", sent),
    () => stroke || location.reload(), // the drawings survive it
  );
  let stroke = null; // the one being drawn
  let pointer = null; // the event that began it; none by keyboard
  let penSeen = -Infinity;
  let pen = { x: across / 2, y: UNITS / 2 }; // the keyboard's
  let rest = { timer: 0, x: 0, y: 0 };
  let guessed = ""; // the picture that was sent while it was drawn
  let send = null;
  let sent = "";

  const erasing = () => eraser.getAttribute("aria-pressed") === "true";
  const erase = (on) => eraser.setAttribute("aria-pressed", String(on));

  function show() {
    const { sheet } = history;
    const focused = root.querySelector(":focus");
    if (!sheet.length) erase(false); // nothing is there to erase, and a pen is wanted
    undo.disabled = !history.canUndo;
    redo.disabled = !history.canRedo;
    clear.disabled = eraser.disabled = next.disabled = !sheet.length;
    hint.hidden = sheet.length > 0 || stroke !== null;
    if (focused?.disabled) canvas.focus({ preventScroll: true });

    const width = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== width) Object.assign(canvas, { width, height: Math.round((width * UNITS) / across) });
    const { color } = getComputedStyle(canvas);
    paint(canvas, stroke ? [...sheet, stroke] : sheet, color);
    if (canvas.matches(":focus-visible")) paintPen(canvas, pen, brush.value, erasing());
    canvas.style.cursor = erasing() ? ring((brush.value / across) * canvas.clientWidth) : "";
  }

  function begin({ x, y }) {
    stroke = { width: Number(brush.value), erase: erasing(), points: [[x, y]] };
    show();
  }

  function extend(points) {
    stroke.points.push(...points.map(({ x, y }) => [x, y]));
    show();
  }

  function end() {
    if (!stroke) return;
    const sheet = [...history.sheet, stroke];
    const allErased = stroke.erase && !picture(sheet, size);
    release();
    change(allErased ? [] : sheet);
    if (guessed && guessed === sent) watch.readOut();
    guessed = "";
  }

  /** The stroke was none. */
  function drop() {
    if (!stroke) return;
    release();
    changed();
  }

  function release() {
    stroke = pointer = null;
    clearTimeout(rest.timer);
    watch.hush(false);
  }

  function change(sheet) {
    history.put(sheet);
    changed();
  }

  function changed() {
    show();
    remember(name, history.sheet);
    offer(history.sheet);
  }

  function offer(strokes) {
    const png = picture(strokes, size);
    if (png === sent) return;
    atOnce(() => send("drawing", (sent = png)));
    watch.await(png);
  }

  function guessAtRest({ x, y }) {
    if (Math.hypot(x - rest.x, y - rest.y) < STILL) return;
    clearTimeout(rest.timer);
    rest = { timer: setTimeout(guess, REST), x, y };
  }

  function guess() {
    watch.hush(true);
    offer([...history.sheet, stroke]);
    guessed = sent;
  }

  function putAside() {
    if (history.sheet.length) recent.add(history.sheet, watch.label());
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const units = (pixels) => Math.round((pixels / box.width) * across * 10) / 10;
    return { x: units(event.clientX - box.left), y: units(event.clientY - box.top) };
  };

  for (const type of ["pointerenter", "pointerdown", "pointermove", "pointerup"])
    canvas.addEventListener(type, (event) => {
      if (event.pointerType === "pen") penSeen = event.timeStamp;
    });
  canvas.addEventListener("pointerdown", (event) => {
    const hand = pointer?.pointerType === "pen" || event.timeStamp - penSeen < HAND;
    if (event.pointerType === "touch" && hand) return;
    if (pointer?.pointerType === "touch") drop(); // a second finger moves the page, a pen has the hand beside it
    if (!event.isPrimary || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId); // a stroke may leave the paper and come back
    end();
    pointer = event;
    begin(place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer?.pointerId) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    extend((moves.length ? moves : [event]).map(place));
    guessAtRest(place(event));
  });
  canvas.addEventListener("pointerup", (event) => event.pointerId === pointer?.pointerId && end());
  canvas.addEventListener("pointercancel", (event) => event.pointerId === pointer?.pointerId && drop());

  canvas.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (event.key === " ") stroke ? end() : begin(pen);
    else if (dx || dy) {
      const within = (value, most) => Math.min(most, Math.max(0, value));
      pen = { x: within(pen.x + dx * STEP, across), y: within(pen.y + dy * STEP, UNITS) };
      stroke ? extend([pen]) : show();
    } else return;
    event.preventDefault();
  });
  canvas.addEventListener("focus", show);
  canvas.addEventListener("blur", () => (stroke ? end() : show()));
  canvas.addEventListener("transitionend", () => {
    show(); // the theme's colours have changed
    recent.show();
  });

  const does = new Map([
    [undo, () => (history.undo(), changed())],
    [redo, () => (history.redo(), changed())],
    [eraser, () => (erase(!erasing()), show())],
    [clear, () => change([])],
    [next, () => (putAside(), change([]))],
  ]);
  for (const [tool, act] of does) tool.addEventListener("click", act);
  brush.addEventListener("input", show);
  root.querySelector(".pad").addEventListener("keydown", (event) => {
    const tool = toolFor(event);
    if (!tool) return;
    event.preventDefault();
    end();
    root.querySelector(`[name=${tool}]`).click();
  });

  const resized = new ResizeObserver(show);
  resized.observe(canvas);
  return {
    connect(setStateValue, answerKey, named) {
      if (written !== named) {
        written = named;
        Object.assign(texts, JSON.parse(named));
        write(root, texts);
        recent.show();
      }
      const first = send === null;
      send = setStateValue;
      watch.of(answerKey);
      if (first && history.sheet.length) changed(); // a drawing from before a reload wants its answer
    },
    disconnect() {
      resized.disconnect();
      canvas.remove();
      watch.end();
    },
  };
}

/** Streamlit sends by a timer of 0 ms what it is told, and Chromium puts timers off until a frame after a pen is lifted. */
function atOnce(tell) {
  const { setTimeout } = window;
  window.setTimeout = (act, ms, ...rest) => (ms ? setTimeout(act, ms, ...rest) : queueMicrotask(act));
  try {
    tell();
  } finally {
    window.setTimeout = setTimeout;
  }
}

function toolFor({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  const letter = key.toLowerCase();
  if (altKey) return undefined;
  if (ctrlKey || metaKey) return { z: shiftKey ? "redo" : "undo", y: "redo" }[letter];
  return { e: "eraser", n: "next", delete: "clear", backspace: "clear" }[letter];
}

/** Where the keyboard's pen is: a ring around what it would paint. */
function paintPen(canvas, { x, y }, width, erasing) {
  const context = canvas.getContext("2d");
  const scale = canvas.height / UNITS;
  const { color, backgroundColor } = getComputedStyle(canvas);
  context.setLineDash(erasing ? [6 * scale, 4 * scale] : []);
  context.beginPath();
  context.arc(x * scale, y * scale, (width / 2 + 3) * scale, 0, 2 * Math.PI);
  for (const [style, thickness] of [
    [backgroundColor, 6],
    [color, 2],
  ]) {
    context.strokeStyle = style;
    context.lineWidth = thickness * scale;
    context.stroke();
  }
  context.setLineDash([]);
}

/** A mouse cursor that shows what the eraser takes. */
function ring(diameter) {
  const side = Math.ceil(diameter) + 4;
  const circle = (colour, width) =>
    `<circle cx="${side / 2}" cy="${side / 2}" r="${diameter / 2}" fill="none" stroke="${colour}" stroke-width="${width}"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">${circle("#fff", 3)}${circle("#000", 1)}</svg>`;
  return `url('data:image/svg+xml,${encodeURIComponent(svg)}') ${side / 2} ${side / 2}, cell`;
}
