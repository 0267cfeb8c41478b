"""Only what is finished counts as an answer: the last of the drawings that follow each other soon."""

import threading

from app.ui.settling import Settling


def test_the_last_of_each_visitors_is_asked_and_once() -> None:
    asked, both = list[str](), threading.Event()

    def ask(what: str) -> None:
        asked.append(what)
        if len(asked) == 2:
            both.set()

    settling = Settling(after=0.2)
    for name in ("one stroke", "two strokes", "three strokes"):
        settling.put("ada", lambda name=name: ask(name))  # type: ignore[misc]
    settling.put("bob", lambda: ask("a seven"))
    assert both.wait(20)
    assert sorted(asked) == ["a seven", "three strokes"]


def test_what_was_put_away_is_asked_before_the_next_one() -> None:
    settling, asked, done = Settling(after=0.3), list[str](), threading.Event()

    def ask(what: str) -> None:
        asked.append(what)
        if what == "the next one":
            done.set()

    settling.finish("ada")
    settling.put("ada", lambda: ask("the first one"))
    settling.finish("ada")
    settling.put("ada", lambda: ask("the next one"))
    assert done.wait(20)
    assert asked == ["the first one", "the next one"]
