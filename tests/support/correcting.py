"""People who draw sevens as no model has learned them, and correct what is read."""

from app.client.client import Client
from app.client.models import Answer
from benchmarks.hooked import SEVEN, Hand, drawing
from tests.support.pictures import encoded


def people(first: int, count: int) -> list[int]:
    """Whose sevens end with a long hook, so that they are read as 2, mostly."""
    return [number for number in range(first, first + 10 * count) if Hand.of(number).foot > 0.32][:count]


def corrected(url: str, person: int) -> None:
    """A person draws sevens, and says of each what it is."""
    with Client(url, visitor=f"visitor-number-{person:04}") as client:
        for seed in range(3):
            picture = encoded(drawing(Hand.of(person), SEVEN, 100 * person + seed))
            answer = client.predict(picture)
            assert isinstance(answer, Answer)
            said = {"answer": answer.label, "model": answer.model.version}
            client.sample(picture, label="7", source="canvas", confidence=answer.confidence, **said)
