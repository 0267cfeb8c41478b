"""What the API and its callers say to each other, and the client that calls it."""
