/** Called by Streamlit after every run; the buttons are made once for the same pictures. */
export default function ({ parentElement, data, setStateValue }) {
  const gallery = parentElement.querySelector(".gallery");
  if (gallery.shown === data.examples) return;
  gallery.shown = data.examples;
  gallery.ariaLabel = data.label;
  gallery.replaceChildren(...JSON.parse(data.examples).map(example));

  function example({ name, picture }, index) {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    const image = Object.assign(new Image(), { src: `data:image/png;base64,${picture}`, alt: name });
    button.append(image);
    button.addEventListener("click", () => {
      for (const other of gallery.children) other.setAttribute("aria-pressed", String(other === button));
      setStateValue("picked", index);
    });
    return button;
  }
}
