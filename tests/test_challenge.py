"""The gate before a retrained model: what is better, what is worse, and what is chance."""

import numpy as np
import pytest

from training.challenge import Contest, Verdict, holm


def contest(name: str, gained: int = 0, lost: int = 0, alike: int = 100) -> Contest:
    champion = np.array([True] * alike + [False] * gained + [True] * lost)
    challenger = np.array([True] * alike + [True] * gained + [False] * lost)
    return Contest(name, champion, challenger)


BETTER = contest("held-out samples", gained=5)


def test_chances_are_mcnemars() -> None:
    """Of a binomial's tail: 4 or more of 5 have 6 of 32 ways."""
    assert contest("a", gained=5).better_by_chance == pytest.approx(1 / 32)
    assert contest("a", gained=1, lost=4).worse_by_chance == pytest.approx(6 / 32)
    assert contest("a", gained=1, lost=4).better_by_chance == pytest.approx(31 / 32)
    assert contest("a").better_by_chance == contest("a").worse_by_chance == 1


def test_chances_of_several_sets() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_better_on_samples_and_worse_on_nothing() -> None:
    assert Verdict(BETTER, [contest("MNIST test"), contest("drawings", gained=3, lost=7)]).objections == []


def test_not_better_on_samples() -> None:
    for samples in (contest("s", gained=4), contest("s", gained=9, lost=5), contest("s", lost=9)):
        (objection,) = Verdict(samples, [contest("MNIST test")]).objections
        assert objection.startswith("not better on held-out samples beyond chance")


def test_worse_on_one_set() -> None:
    sets = [contest("MNIST test"), contest("USPS test", lost=6)]
    assert Verdict(BETTER, sets).objections == ["worse on USPS test: 6 lost, 0 gained"]


def test_of_many_sets_one_may_lose_a_little_more_by_chance() -> None:
    loser = contest("USPS test", lost=6)  # 1 of 64, and so of one of 20 sets in 3 of 10 trials
    assert Verdict(BETTER, [loser, *[contest(f"set {number}") for number in range(19)]]).objections == []


def test_the_record_tells_all() -> None:
    told = Verdict(BETTER, [contest("USPS test", gained=1, lost=8)]).told()
    assert told["objections"] == ["worse on USPS test: 8 lost, 1 gained"]
    usps, samples = told["sets"]["USPS test"], told["sets"]["held-out samples"]
    assert (usps["count"], usps["gained"], usps["lost"]) == (109, 1, 8)
    assert (usps["champion"], usps["challenger"]) == (pytest.approx(108 / 109), pytest.approx(101 / 109))
    assert usps["worse_by_chance"] == pytest.approx(10 / 512)
    assert samples["better_by_chance"] == pytest.approx(1 / 32)
