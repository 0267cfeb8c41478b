"""The page: draw or upload a character or a number and see what it is. It knows the model only through the API."""
