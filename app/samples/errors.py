"""Why a sample is not kept, found or changed; each message is a sentence for whoever asked."""


class SamplesError(Exception):
    pass


class SampleDiffers(SamplesError):
    def __init__(self) -> None:
        super().__init__("There is a sample with this id, of another picture or by somebody else.")


class SampleDeleted(SamplesError):
    def __init__(self) -> None:
        super().__init__("The sample with this id was deleted, and stays so.")


class UnknownSample(SamplesError):
    def __init__(self) -> None:
        super().__init__("There is no sample with this id.")


class WrongCursor(SamplesError):
    def __init__(self) -> None:
        super().__init__("after: it must be what the page before calls next, with the same order.")


class Unavailable(SamplesError):
    """The database does not do what it is asked; the message says why, for the log."""


class NoRoom(Unavailable):
    def __init__(self) -> None:
        super().__init__("Samples take as much room as DIGITS_SAMPLES_MEGABYTES lets them.")


class BadValue(Unavailable):
    """It will never take what it was given."""
