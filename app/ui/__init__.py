"""The page: draw or upload a character and see what it is. It knows the model only through the API."""
