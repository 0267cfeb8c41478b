"""The servers that the API is measured against."""
