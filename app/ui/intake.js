// Part of every page's document: what goes into the file widget of app/ui/intake.py passes through here.

const SIDE = 1500; // pixels, of pictures that are shrunk
const LARGE = 100_000; // bytes, from which on a picture may have too many pixels
const WIDGET = ".st-key-intake input[type=file]";

let camera; // an input that nothing holds may vanish while the photo is taken

const there = () => document.querySelector(WIDGET) && document.querySelector(".refused");
const before = (type, heard) => document.addEventListener(type, heard, { capture: true });

before("change", (event) => {
  if (!event.fitting && event.target.matches?.(WIDGET) && there()) instead(event, event.target.files);
});
before("drop", (event) => {
  if (event.target.closest?.(".st-key-intake") && there()) instead(event, event.dataTransfer.files);
});
before("paste", (event) => {
  if (event.clipboardData?.files.length && there()) instead(event, event.clipboardData.files);
});
before("click", (event) => {
  if (!event.target.closest?.(".photo-button")) return;
  camera = Object.assign(document.createElement("input"), { type: "file", accept: "image/*", capture: "environment" });
  camera.addEventListener("change", () => take([...camera.files]));
  camera.click();
});

// A screen reader says what appears there, in the language that the page has come to speak.
new MutationObserver(() => {
  document.querySelector(".st-key-answer:not([role])")?.setAttribute("role", "status");
  const { language } = document.querySelector("[data-language]")?.dataset ?? {};
  if (language && document.documentElement.lang !== language) document.documentElement.lang = language;
}).observe(document.body, { childList: true, subtree: true });

function instead(event, files) {
  event.preventDefault();
  event.stopImmediatePropagation();
  take([...files]); // a copy: the event's own list is emptied
}

async function take(files) {
  const refused = document.querySelector(".refused");
  const limits = { megabytes: Number(refused.dataset.megabytes), pixels: Number(refused.dataset.pixels) };
  refused.replaceChildren();
  const taken = new DataTransfer();
  for (const file of files) {
    const fit = await fitting(file, limits);
    if (fit) taken.items.add(fit);
    else refused.append(Object.assign(document.createElement("p"), { className: "trouble", textContent: why(file, limits, refused) }));
  }
  const widget = document.querySelector(WIDGET);
  if (!widget || !taken.files.length) return;
  widget.files = taken.files;
  widget.dispatchEvent(Object.assign(new Event("change", { bubbles: true }), { fitting: true }));
}

/** The file, or its picture made smaller; nothing where that is needed and this browser cannot. */
async function fitting(file, { megabytes, pixels }) {
  const heavy = file.size > megabytes * 2 ** 20;
  const foreign = /\.hei[cf]$/i.test(file.name); // which the API cannot read, and some browsers can
  if (!heavy && !foreign && file.size < LARGE) return file;
  const picture = await createImageBitmap(file).catch(() => null);
  if (picture && (heavy || foreign || picture.width * picture.height > pixels)) return shrunk(picture, file);
  return heavy ? null : file;
}

async function shrunk(picture, { name, type }) {
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(Math.ceil(picture.width * scale), Math.ceil(picture.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const kind = /png|webp|gif/.test(type) ? "image/png" : "image/jpeg"; // transparent ones stay so
  const blob = await canvas.convertToBlob({ type: kind, quality: 0.92 });
  return new File([blob], name, { type: kind });
}

function why({ name, size }, { megabytes }, { dataset }) {
  const values = { name, size: (size / 2 ** 20).toFixed(1), limit: megabytes };
  return dataset.tooLarge.replace(/\{(\w+)\}/g, (_, placeholder) => values[placeholder]);
}
