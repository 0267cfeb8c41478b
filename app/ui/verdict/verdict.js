const SOON = 2000; // ms in which a run that has begun has shown this again
const STORED = "verdicts";

/**
 * Called by Streamlit after every run.
 *
 * What is said is sent until a run knows of it, be another drawing shown by then: `said` holds all that no run has
 * taken yet, by what it is said of, with a number that grows.
 */
export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".verdict");
  const told = JSON.parse(data.verdict); // { of, right, said, taken, quick, labels, words, texts }
  root.pending ??= restored(); // what it is said of -> { label, number }
  root.number ??= Math.max(told.taken, ...[...root.pending.values()].map(({ number }) => number));
  for (const [of, { number, before }] of root.pending)
    if (number <= told.taken && !(before && of !== told.of)) root.pending.delete(of);
  store(root.pending);
  if (root.shown !== data.verdict) {
    root.shown = data.verdict;
    show();
  }
  root.send = () => {
    clearTimeout(root.timer);
    if (root.pending.size && cookie("consent") !== "yes") forget(); // taken back in another tab
    const known = [...root.pending].filter(([of, { before }]) => !before || of === told.of);
    if (!known.length) {
      if (root.sent) setStateValue("said", "[]"); // what has been taken is not to be sent to another session, later
      root.sent = false;
      return;
    }
    root.sent = true;
    setStateValue("said", JSON.stringify(known.map(([of, { label, number }]) => [of, label, number])));
    root.timer = setTimeout(root.send, SOON); // Streamlit drops what a broken connection should send
  };
  const isShown = () => document.querySelector("[data-asked]")?.dataset.asked === told.of;
  if (root.held && isShown()) {
    const held = root.held;
    delete root.held;
    say(held(told));
  }
  root.send();
  return () => clearTimeout(root.timer);

  /** The answer may be newer than this row, which is then about to change: what is clicked is said of what one sees. */
  function click(labelOf) {
    if (isShown()) say(labelOf(told));
    else root.held = labelOf;
  }

  function say(label) {
    root.pending.set(told.of, { label, number: ++root.number });
    store(root.pending);
    mark();
    root.send();
  }

  function forget() {
    root.pending.clear();
    store(root.pending);
    mark();
    dispatchEvent(new Event("consent"));
  }

  function show() {
    const { of, right, quick, labels, words, texts } = told;
    root.hidden = !of;
    if (!of) return;
    const focused = root.getRootNode().activeElement?.dataset.of;
    const button = (text, label, name, of, labelOf = () => label) => {
      const made = Object.assign(document.createElement("button"), { type: "button", textContent: text, ariaLabel: name });
      Object.assign(made.dataset, { label, of });
      made.addEventListener("click", () => click(labelOf));
      return made;
    };
    const parts = [button(`✓ ${texts.right}`, right, texts.right, "right", ({ right }) => right)];
    for (const label of quick) parts.push(button(label, label, texts.itIsThis.replace("{label}", label), `quick-${label}`));
    if (labels.length) {
      const list = document.createElement("select");
      list.ariaLabel = texts.itIs;
      list.dataset.of = "list";
      list.append(new Option(texts.itIs, ""), ...labels.map(([label, name]) => new Option(name || label, label)));
      list.addEventListener("change", () => {
        const { value } = list;
        if (value) click(() => value);
      });
      parts.push(list, button(texts.none, "", texts.none, "none"));
    }
    const status = Object.assign(document.createElement("p"), { textContent: words.text, className: words.kind });
    status.setAttribute("role", "status");
    root.ariaLabel = texts.question;
    root.replaceChildren(...parts, status);
    mark();
    if (focused) root.querySelector(`[data-of="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  /** Show what was said, be it known to a run or not. */
  function mark() {
    const said = root.pending.get(told.of)?.label ?? told.said;
    const list = root.querySelector("select");
    const buttons = [...root.querySelectorAll("button")];
    for (const one of buttons) one.ariaPressed = String(one.dataset.label === said);
    if (!list) return;
    const chosen = said && !buttons.some((one) => one.dataset.label === said);
    list.value = chosen ? said : "";
    list.classList.toggle("chosen", Boolean(chosen));
  }
}

/** What was said before the page was loaded again, as the pad does where its server has forgotten it: of a drawing that is
 * shown again it is sent, of others nobody knows any more what they were. */
function restored() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(STORED) ?? "[]");
    return new Map(kept.map(([of, { label, number }]) => [of, { label, number, before: true }]));
  } catch {
    return new Map();
  }
}

function store(pending) {
  try {
    sessionStorage.setItem(STORED, JSON.stringify([...pending]));
  } catch {
    // without storage it is kept for as long as the page is
  }
}
