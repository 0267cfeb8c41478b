// Part of every page's document: takes the label that is being written in the canvas of app/ui/corrections.py when Enter
// is pressed or the focus leaves it. The canvas takes it on Escape only; what is pressed instead may be "Read again".

const FIELD = ".dc-textarea-host textarea";
const ESCAPE = 27; // by its code, which is all that the canvas looks at

document.addEventListener("focusout", (event) => take(event.composedPath()[0]), { capture: true });
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Enter" || event.isComposing || !take(event.composedPath()[0])) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  { capture: true },
);

/** Whether it is a label's field. */
function take(element) {
  if (!element.matches?.(FIELD)) return false;
  const escape = new KeyboardEvent("keydown", { key: "Escape" });
  Object.defineProperty(escape, "keyCode", { value: ESCAPE });
  element.dispatchEvent(escape);
  return true;
}
