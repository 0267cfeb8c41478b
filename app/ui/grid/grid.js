const SOON = 2000; // ms in which a run that has begun has shown this again
const SURE = 2500; // ms in which Delete has to be pressed again

/**
 * Called by Streamlit after every run.
 *
 * `tiles` are { id, picture, label, answer, share, reviewed, deleted, trouble, about }, `labels` are { label, name, key }:
 * what a person is to read, and the key to press. What is done is sent until a run knows of it: `done` holds all that no run
 * has taken yet, with a number that grows.
 */
export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".review");
  const { page, tiles, labels, taken, texts } = JSON.parse(data.grid);
  root.done ??= [];
  root.number ??= taken;
  root.selected ??= new Set();
  root.done = root.done.filter(({ number }) => number > taken);
  if (root.shown !== data.grid) {
    const anew = root.page !== page;
    if (anew) Object.assign(root, { page, at: 0, selected: new Set() });
    const had = root.getRootNode().activeElement;
    root.shown = data.grid;
    show();
    if (had && (anew || had.matches(".tile"))) focus(root.at);
    else if (had?.dataset.of) root.querySelector(`[data-of="${CSS.escape(had.dataset.of)}"]`)?.focus();
  }
  root.send = () => {
    clearTimeout(root.timer);
    if (!root.done.length) {
      if (root.sent) setStateValue("done", "[]"); // what has been taken is not to be sent to another session, later
      root.sent = false;
      return;
    }
    root.sent = true;
    setStateValue("done", JSON.stringify(root.done));
    root.timer = setTimeout(root.send, SOON); // Streamlit drops what a broken connection should send
  };
  root.onkeydown = keydown; // this run's: what it knows is what is shown
  root.send();
  return () => clearTimeout(root.timer);

  function show() {
    const grid = root.querySelector(".grid");
    const palette = root.querySelector(".palette");
    grid.ariaLabel = texts.grid;
    grid.replaceChildren(...tiles.map(tile));
    palette.ariaLabel = texts.palette;
    palette.replaceChildren(
      ...labels.map(({ label, name, key }) => tool(`label-${label}`, name, key, () => put(label))),
      tool("right", texts.right, "Enter", confirm),
      tool("none", texts.none, "Backspace", () => put("")),
      tool("delete", texts.delete, "Delete", remove),
      tool("next", texts.next, "PageDown", next),
    );
    root.querySelector(".keys").textContent = texts.keys;
    mark();
  }

  function tile(told, index) {
    const option = element("div", { className: "tile", role: "option", id: `tile-${index}` });
    const picture = element("div", { className: "picture" });
    if (told.picture) picture.append(element("img", { src: told.picture, alt: "" }));
    option.append(picture, element("b"), element("small"));
    option.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey) toggle(index);
      else if (event.shiftKey) reach(index);
      else root.selected.clear();
      focus(index);
    });
    return option;
  }

  function tool(of, text, key, act) {
    const button = element("button", { type: "button", textContent: text });
    button.dataset.of = of;
    const cap = texts[key] ?? key;
    if (cap && cap !== text) button.append(element("kbd", { textContent: cap }));
    button.addEventListener("click", act);
    return button;
  }

  /** What became of the tiles, be it known to a run or not. */
  function mark() {
    const now = new Map(tiles.map((one) => [one.id, { ...one }]));
    for (const { does, ids, label } of root.done)
      for (const id of ids) {
        if (does === "delete") Object.assign(now.get(id) ?? {}, { deleted: true });
        if (does === "label") Object.assign(now.get(id) ?? {}, { label, reviewed: true });
      }
    root.now = [...now.values()];
    root.querySelectorAll(".tile").forEach((option, index) => {
      const { label, answer, share, reviewed, deleted, trouble, about } = root.now[index];
      const said = label === null ? "" : label === "" ? texts.noCharacter : label;
      option.querySelector("b").textContent = deleted ? texts.deleted : said || `${answer ?? ""}?`;
      option.querySelector("small").textContent = trouble || (answer === null ? "" : `${texts.answer} ${answer} ${share}`);
      option.title = about;
      option.ariaLabel = [
        said && `${texts.saidToBe} ${said}`,
        answer !== null && `${texts.answer} ${answer} ${share}`,
        reviewed && texts.reviewed,
        deleted && texts.deleted,
        trouble,
      ]
        .filter(Boolean)
        .join(", ");
      option.ariaSelected = String(root.selected.has(index));
      option.tabIndex = index === root.at ? 0 : -1;
      option.className = [
        "tile",
        deleted ? "deleted" : reviewed ? "reviewed" : label !== null && answer !== null && label !== answer ? "differs" : "",
        trouble ? "trouble" : "",
      ].join(" ");
    });
  }

  function focus(index) {
    const options = root.querySelectorAll(".tile");
    if (!options.length) return;
    root.at = Math.min(options.length - 1, Math.max(0, index));
    mark();
    options[root.at].focus();
  }

  function toggle(index) {
    if (!root.selected.delete(index)) root.selected.add(index);
  }

  /** Select from where the focus is to `index`. */
  function reach(index) {
    for (let one = Math.min(root.at, index); one <= Math.max(root.at, index); one++) root.selected.add(one);
  }

  function chosen() {
    const places = root.selected.size ? [...root.selected] : [root.at];
    return places.filter((index) => root.now[index] && !root.now[index].deleted);
  }

  function act(does, places, label = null) {
    if (!places.length && does !== "next") return;
    const ids = places.map((index) => root.now[index].id);
    root.done.push({ number: ++root.number, does, ids, label });
    const last = Math.max(root.at, ...places);
    root.selected.clear();
    root.send();
    mark();
    if (does === "next") return;
    if (last + 1 < tiles.length) focus(last + 1);
    else root.querySelector("[data-of=next]").focus();
  }

  function put(label) {
    act("label", chosen(), label);
  }

  /** What each is said to be is right; where nobody has said so, the answer is. */
  function confirm() {
    const byLabel = Map.groupBy(
      chosen().filter((index) => (root.now[index].label ?? root.now[index].answer) !== null),
      (index) => root.now[index].label ?? root.now[index].answer,
    );
    for (const [label, places] of byLabel) act("label", places, label);
  }

  function remove() {
    const status = root.querySelector("[role=status]");
    if (!chosen().length) return;
    if (root.asked) {
      root.asked = clearTimeout(root.asked);
      status.textContent = "";
      act("delete", chosen());
      return;
    }
    status.textContent = texts.again.replace("{count}", chosen().length);
    root.asked = setTimeout(() => {
      root.asked = undefined;
      status.textContent = "";
    }, SURE);
  }

  function next() {
    act("next", []);
  }

  function keydown(event) {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    const onTile = event.composedPath()[0].matches?.(".tile");
    if (altKey || !onTile) return;
    const width = columns();
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width, Home: -root.at, End: tiles.length }[key];
    if (ctrlKey || metaKey) {
      if (key.toLowerCase() !== "a") return;
      tiles.forEach((_, index) => root.selected.add(index));
      mark();
    } else if (step !== undefined) {
      const to = Math.min(tiles.length - 1, Math.max(0, root.at + step));
      if (shiftKey) reach(to);
      focus(to);
    } else if (key === " ") toggle(root.at), mark();
    else if (key === "Escape") root.selected.clear(), mark();
    else if (key === "Enter") confirm();
    else if (key === "Backspace") put("");
    else if (key === "Delete") remove();
    else if (key === "PageDown") next();
    else {
      const found = labels.find((one) => one.key === key) ?? labels.find((one) => one.key === key.toLowerCase());
      if (!found) return;
      put(found.label);
    }
    event.preventDefault();
  }

  /** Tiles beside each other. */
  function columns() {
    const options = [...root.querySelectorAll(".tile")];
    const below = options.findIndex((one) => one.offsetTop > options[0].offsetTop);
    return below < 0 ? options.length : below;
  }

  function element(name, values = {}) {
    return Object.assign(document.createElement(name), values);
  }
}
