"""Why there is no answer from the API; a picture that it refuses is an answer."""


class ApiError(Exception):
    """No answer; the message says why."""


class Unreachable(ApiError):
    """Nobody listens at the API's address, or the connection broke."""


class NotReached(Unreachable):
    """No connection came about: the API has heard nothing."""


class TimedOut(ApiError):
    pass


class Later(ApiError):
    """Right request, wrong moment.

    `retry_after`: seconds that the API asks to wait, None when it does not say.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Busy(Later):
    """The API has too much to do, or cannot recognize anything yet."""


class TooManyRequests(Later):
    """This caller asks for more than it may."""


class WrongKey(ApiError):
    """A key is needed, and none or an unknown one was shown."""


class ServerFailed(ApiError):
    pass


class Refused(ApiError):
    """The call as a whole is wrong, such as one with too many pictures; `code` says how, in the API's words."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Incompatible(ApiError):
    """The answer is none that this client knows."""
