const THUMB = 88; // pixels from a small drawing's top to its bottom
const MOST_RECENT = 8;

/** Drawings that were put aside, kept as `name`, the last one first: a button each, which calls `restore(strokes)`. */
function makeRecent(list, name, { width, height }, texts, restore) {
  let drawings = remembered(name);

  function change(changed) {
    drawings = changed;
    remember(name, drawings);
    show();
  }

  function show() {
    list.replaceChildren(...drawings.map(thumbnail));
  }

  function thumbnail(drawing) {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    const paper = Object.assign(document.createElement("canvas"), { width: (THUMB * width) / height, height: THUMB });
    const caption = Object.assign(document.createElement("span"), { textContent: drawing.label });
    button.ariaLabel = drawing.label ? filled(texts.bringBack, drawing) : texts.bringBackADrawing;
    button.append(paper, caption);
    button.addEventListener("click", () => {
      change(drawings.filter((other) => other !== drawing));
      restore(drawing.strokes);
    });
    paint(paper, drawing.strokes, getComputedStyle(list).color);
    return button;
  }

  return {
    show,
    /** `label` is what was recognized, empty where nothing was. */
    add: (strokes, label) => change([{ strokes, label }, ...drawings].slice(0, MOST_RECENT)),
  };
}
