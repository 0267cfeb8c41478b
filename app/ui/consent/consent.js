const SOON = 2000; // ms in which a run that has begun has shown this again
const MOMENTS = ["focus", "consent"]; // in which somebody is to see what is known by now; the second is the verdict's
const TOKEN = /^[0-9a-f]{32}$/;

/** Called by Streamlit after every run. */
export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".consent");
  const told = JSON.parse(data.consent); // { consent, deleted, said, mayAsk, texts }
  if (root.shown !== data.consent) {
    root.shown = data.consent;
    show(told);
  }
  const awaited = root.awaited;
  if (awaited && told.consent === awaited.consent && (!awaited.wish || told.deleted === awaited.wish)) {
    delete root.awaited;
    if (awaited.wish) setStateValue("said", JSON.stringify({ ...awaited, wish: "" })); // not for another session, later
  }
  root.send = () => {
    clearTimeout(root.timer);
    if (!root.awaited) return;
    setStateValue("said", JSON.stringify(root.awaited));
    root.timer = setTimeout(root.send, SOON); // Streamlit drops what a broken connection should send
  };
  root.look = () => {
    const known = cookie("consent");
    if (!root.awaited && known !== told.consent) say(known); // said in another tab meanwhile
  };
  root.heard ??= () => root.look();
  for (const event of MOMENTS) addEventListener(event, root.heard);
  root.send();
  root.look();
  return () => {
    clearTimeout(root.timer);
    for (const event of MOMENTS) removeEventListener(event, root.heard);
  };

  function show({ consent, said, mayAsk, texts }) {
    const focused = root.getRootNode().activeElement !== null;
    const button = (text, kind, act) => {
      const made = Object.assign(document.createElement("button"), { type: "button", textContent: text, className: kind });
      made.addEventListener("click", act);
      return made;
    };
    const words = (text) => Object.assign(document.createElement("p"), { textContent: text });
    const parts = [];
    if (consent === "") {
      if (mayAsk)
        parts.push(
          words(texts.question),
          button(texts.agree, "main", () => say("yes")),
          button(texts.refuse, "", () => say("no")),
        );
    } else {
      parts.push(words(said || (consent === "yes" ? texts.kept : texts.notKept)));
      if (TOKEN.test(cookie("visitor"))) parts.push(button(texts.delete, "link", () => say(consent, token())));
      if (consent === "yes") parts.push(button(texts.stop, "link", () => say("no")));
      else parts.push(button(texts.again, "link", () => say("yes")));
    }
    root.className = consent === "" ? "consent asking" : "consent";
    root.hidden = !parts.length;
    root.replaceChildren(...parts);
    if (focused) root.querySelector("button")?.focus({ preventScroll: true });
  }

  /** `wish` names the wish that all be deleted, if it is one. */
  function say(consent, wish = "") {
    if (consent === "yes" && !TOKEN.test(cookie("visitor"))) keep("visitor", token());
    keep("consent", consent);
    root.awaited = { consent, wish, visitor: cookie("visitor") };
    root.send();
  }
}

/** 32 hexadecimal digits that nobody guesses; where a page is not served by HTTPS there is no `randomUUID`. */
const token = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
