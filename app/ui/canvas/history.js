/** All that the sheet has been, for undo and redo; a sheet is a list of strokes, and is never changed. */
function makeHistory(strokes) {
  const sheets = [...strokes.keys()].map((count) => strokes.slice(0, count));
  sheets.push(strokes);
  let at = strokes.length;
  return {
    get sheet() {
      return sheets[at];
    },
    get canUndo() {
      return at > 0;
    },
    get canRedo() {
      return at < sheets.length - 1;
    },
    put: (sheet) => sheets.splice(++at, Infinity, sheet),
    undo: () => (at = Math.max(0, at - 1)),
    redo: () => (at = Math.min(sheets.length - 1, at + 1)),
  };
}

/** In this tab only: nobody else's page can show the drawings. */
function remember(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // storage is full or forbidden; the drawings then live as long as the page
  }
}

function remembered(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name)) ?? [];
  } catch {
    return [];
  }
}
