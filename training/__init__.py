"""How models are made: data, networks, augmentation, evaluation and export. Uses `app.reading`, never the other way."""

import app as app  # before ONNX Runtime, which then tells nobody of the models
