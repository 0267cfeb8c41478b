/** Writes texts, by name, where the pad's HTML wants them; what stands in backquotes is a key. */
function write(root, texts) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = texts[element.dataset.text];
  for (const element of root.querySelectorAll("[data-label]")) element.ariaLabel = texts[element.dataset.label];
  for (const element of root.querySelectorAll("[data-title]"))
    element.title = `${texts[element.dataset.title]} (${element.dataset.key})`;
  root.querySelector("canvas").ariaRoleDescription = texts.drawingArea;
  root.querySelector(".keys").replaceChildren(
    ...texts.keys.split("`").map((part, i) => {
      return i % 2 ? Object.assign(document.createElement("kbd"), { textContent: part }) : part;
    }),
  );
}

/** A text with its `{placeholders}` filled. */
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
