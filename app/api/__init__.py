"""The HTTP API: pictures in, recognized characters out."""
