const A_YEAR = 365 * 24 * 60 * 60; // seconds

/** Called by Streamlit after every run. */
export default function ({ parentElement, data, setStateValue }) {
  const select = parentElement.querySelector("select");
  const { name, label, options, chosen } = JSON.parse(data.choice);
  if (select.shown !== data.choice) {
    select.shown = data.choice;
    select.setAttribute("aria-label", label);
    select.title = label;
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    select.value = chosen;
  }
  select.onchange = () => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${encodeURIComponent(select.value)}; Path=/; Max-Age=${A_YEAR}; SameSite=Lax${secure}`;
    setStateValue("chosen", select.value);
  };
}
