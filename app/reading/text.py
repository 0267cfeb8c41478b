"""What a picture of several characters says: lines of them, and whether that is sure."""

from dataclasses import dataclass

from app.reading.picture import Box


@dataclass(frozen=True, slots=True)
class Character:
    """`box`: left, top, right and bottom limit of its ink, in pixels of the picture as sent, upright."""

    label: str
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class Line:
    """`characters`: from left to right; `confidence`: that all of them are right, and none is missing."""

    characters: tuple[Character, ...]
    confidence: float

    @property
    def text(self) -> str:
        return "".join(character.label for character in self.characters)


@dataclass(frozen=True, slots=True)
class Text:
    """`lines`: from top to bottom, at least one; `confidence`: that all of them are right; `cut`: whether characters
    that touch were taken apart.
    """

    lines: tuple[Line, ...]
    confidence: float
    sure: bool
    cut: bool = False

    @property
    def text(self) -> str:
        """Lines separated by a newline."""
        return "\n".join(line.text for line in self.lines)
