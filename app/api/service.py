"""What one API process holds: the models by alphabet, the lanes to them, the gate."""

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from app.api.access import Gate
from app.api.errors import NoLines, SeveralAlphabets, UnknownAlphabet
from app.api.models import Models
from app.api.work import Lanes
from app.reading.reader import LineReader
from app.reading.recognizer import Recognizer
from app.samples.keeper import Keeper
from app.settings import Settings


@dataclass(frozen=True)
class Service:
    settings: Settings
    models: Models
    lanes: Lanes
    gate: Gate
    keeper: Keeper | None = None
    """Of samples, where they are kept."""

    def recognizer(self, named: Iterable[str]) -> Recognizer:
        """That of the alphabet which a request names; of the default one where it names none, or an empty text.

        Raises:
            SeveralAlphabets: it names different ones.
            UnknownAlphabet
        """
        name, *others = {name for name in named if name} or {self.settings.default_alphabet}
        if others:
            raise SeveralAlphabets
        try:
            return self.models.served[name].recognizer
        except KeyError:
            raise UnknownAlphabet(self.models.served) from None

    def line_reader(self, recognizer: Recognizer) -> LineReader:
        """That of a recognizer's alphabet; its own where nothing was awaited since it was asked for. Raises NoLines."""
        alphabet = recognizer.record.alphabet
        line_reader = self.models.served[alphabet].line_reader
        if line_reader is None:
            raise NoLines(alphabet, self.models.of_lines)
        return line_reader


def service_of(request: HTTPConnection) -> Service:
    service: Service = request.app.state.service
    return service
