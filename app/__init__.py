"""Everything the image runs: bytes -> ink -> glyph -> prediction, an API and a page around it."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
"""ONNX Runtime's Linux builds send its maker what models are loaded, unless this says no when it is imported: then
nothing leaves, and no thread of its own takes the address space that the decoding worker is allowed."""
