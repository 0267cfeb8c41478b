"""The models that are served, a folder for each alphabet; and those before them, to go back to."""
