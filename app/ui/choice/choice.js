const SOON = 2000; // ms in which a run that has begun has shown this list again
const TRIES = 5;

/** Called by Streamlit after every run. */
export default function ({ parentElement, data, setStateValue }) {
  const select = parentElement.querySelector("select");
  const { name, label, options, chosen } = JSON.parse(data.choice);
  if (select.shown !== data.choice) {
    select.shown = data.choice;
    select.setAttribute("aria-label", label);
    select.title = label;
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    select.value = select.awaited ?? chosen;
  }
  if (chosen === select.awaited) delete select.awaited;
  select.send = (tries = TRIES) => {
    clearTimeout(select.timer);
    if (!tries || select.awaited === undefined) return;
    setStateValue("chosen", select.awaited);
    select.timer = setTimeout(() => select.send(tries - 1), SOON); // Streamlit drops what a broken connection should send
  };
  select.onchange = () => {
    keep(name, select.value);
    select.awaited = select.value;
    select.send();
  };
  return () => clearTimeout(select.timer);
}
