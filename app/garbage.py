"""Keeps Python's garbage collector out of the answer's way: it stops all threads, those that send the answer, too.

Streamlit's collection after every run is off, in `app/ui/.streamlit/config.toml`.
"""

import gc
from functools import cache

from app.api.memory import return_the_rest


@cache
def leave_out_what_stays() -> None:
    """Once all is imported, have no later collection look at it: 80,000 objects of the page take 30 ms each time."""
    gc.collect()
    gc.freeze()
    return_the_rest()
