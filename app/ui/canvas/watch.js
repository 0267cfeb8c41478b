const SOON = 400; // ms without an answer after which a person is told so
const NEXT_LOOK = 2000; // ms from one question for the page's server to the next
const LOST = 8000; // ms in which a server that is there begins a run, if it still knows this page
const TOO_LONG = 30_000; // ms in which a run has always said something, be it that the recognizer is away
const SPOKEN = 1000; // ms after which a screen reader has taken what it is to say

/** Closes what Streamlit says when its server is away: words for a programmer, before which nothing can be drawn. */
const STREAMLIT_S = ".stDialog:has(.stErrorCodeBlock) [aria-label=Close]";

/** What the answer calls the drawing that it is to: a PNG ends with the checksums of all before. */
const nameOf = (dataUrl) => dataUrl.slice(-32);

/**
 * Watches the answer, and says so while it is not yet that to the last drawing.
 *
 * `status` is an element for screen readers; of `texts` it says `thinking` and `away`; `sendAgain` is called when the
 * drawing may have been lost, `reload` when that did not help.
 */
function makeWatch(status, texts, sendAgain, reload) {
  let answer = () => null;
  let awaited = "";
  let since = 0;
  let timer = 0;

  const answered = () => answer()?.querySelector("[data-drawing]")?.dataset.drawing ?? "";
  const taken = () => document.querySelector("[data-taken]")?.dataset.taken ?? "";
  const isThere = () => answered() === awaited;

  function say(words) {
    if (words === status.textContent) return;
    status.textContent = words;
    if (words) answer()?.setAttribute("data-waiting", words);
    else answer()?.removeAttribute("data-waiting");
  }

  function settle() {
    if (!timer || !isThere()) return;
    clearTimeout(timer);
    timer = 0;
    say("");
  }

  function think() {
    say(texts.thinking);
    timer = setTimeout(look, NEXT_LOOK);
  }

  async function look() {
    const mine = timer;
    const reached = await fetch("_stcore/health", { cache: "no-store", signal: AbortSignal.timeout(NEXT_LOOK) }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (timer !== mine) return;
    if (!reached || status.textContent === texts.away) since = performance.now();
    say(reached ? texts.thinking : texts.away);
    const idle = taken() === answered(); // no run has begun that is not yet at its end
    if (performance.now() - since > (idle ? LOST : TOO_LONG)) reload();
    else if (reached && idle) sendAgain();
    timer = setTimeout(look, NEXT_LOOK);
  }

  const changes = new MutationObserver(() => {
    settle();
    document.querySelector(STREAMLIT_S)?.click();
  });
  changes.observe(document.body, { subtree: true, childList: true, attributeFilter: ["data-drawing"] });
  return {
    of(answerKey) {
      answer = () => document.querySelector(`.st-key-${answerKey}`);
      answer()?.setAttribute("role", "status"); // a screen reader says what appears there
      settle();
    },
    /** `dataUrl` has been sent. */
    await(dataUrl) {
      awaited = nameOf(dataUrl);
      since = performance.now();
      timer ||= setTimeout(think, SOON);
      settle();
    },
    /** Answers to a drawing that goes on are not read out. */
    hush: (quiet) => answer()?.setAttribute("aria-live", quiet ? "off" : "polite"),
    /** The answer stands, and has not been read out. */
    readOut() {
      status.textContent = answer()?.innerText ?? "";
      setTimeout(() => status.textContent === answer()?.innerText && (status.textContent = ""), SPOKEN);
    },
    /** The answer's label; empty where there is none yet. */
    label: () => (isThere() && answer().querySelector(".answer-label")?.textContent) || "",
    end() {
      changes.disconnect();
      clearTimeout(timer);
    },
  };
}
