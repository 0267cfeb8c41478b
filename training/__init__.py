"""How models are made: data, networks, augmentation, evaluation and export. Uses `app.reading`, never the other way."""
