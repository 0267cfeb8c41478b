"""How models are made: data, networks, augmentation, evaluation and export. Uses `app.ink` and `app.glyphs`."""
