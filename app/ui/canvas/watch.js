const SOON = 400; // ms without an answer after which a person is told so
const NEXT_LOOK = 2000; // ms from one question for the page's server to the next
const TOO_LONG = 15_000; // ms in which the server has always said something, be it that the recognizer is away

const THINKING = "Thinking…";
const AWAY = "This page cannot reach its server. Your drawing is kept, and answered as soon as the server is back.";

/** What the answer calls the drawing that it is to: the end of a PNG has the checksums of all before it. */
const nameOf = (dataUrl) => dataUrl.slice(-32);

/**
 * Watches the answer, and says so while it is not yet that to the last drawing.
 *
 * `status` is an element for screen readers; `sendAgain` is called when the drawing may have been lost.
 */
function makeWatch(status, sendAgain) {
  let answer = () => null;
  let awaited = "";
  let since = 0;
  let timer = 0;

  const isThere = () => answer()?.querySelector("[data-drawing]")?.dataset.drawing === awaited;

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
    say(THINKING);
    timer = setTimeout(look, NEXT_LOOK);
  }

  async function look() {
    const mine = timer;
    const reached = await fetch("_stcore/health", { cache: "no-store", signal: AbortSignal.timeout(NEXT_LOOK) }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (timer !== mine) return;
    const back = reached && status.textContent === AWAY;
    say(reached ? THINKING : AWAY);
    if (back || performance.now() - since > TOO_LONG) {
      since = performance.now();
      sendAgain();
    }
    timer = setTimeout(look, NEXT_LOOK);
  }

  const changes = new MutationObserver(settle);
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
    /** The answer's label; empty where there is none yet. */
    label: () => (isThere() && answer().querySelector(".answer-label")?.textContent) || "",
    end() {
      changes.disconnect();
      clearTimeout(timer);
    },
  };
}
