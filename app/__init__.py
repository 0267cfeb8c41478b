"""Everything the image runs: bytes -> ink -> glyph -> prediction, an API and a page around it."""
