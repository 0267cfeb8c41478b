"""From the bytes of a picture to what is written on it. `pipeline` is the way, top to bottom. Knows no HTTP."""
