"""Samples: what people drew or sent, what the model said, and what it really is. Kept to learn from.

What needs SQLAlchemy is imported where it is first used: a server that keeps no samples does not pay for it.
"""
