"""One task: a share of a processor, an event loop that takes and answers, a lane that recognizes."""

import math
import random
import sys
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Final

import simpy

from app.api.work import TOGETHER
from app.settings import Settings

MAX_WAITING: Final[int] = Settings.model_fields["max_waiting"].default
MAX_CONNECTIONS: Final[int] = Settings.model_fields["max_connections"].default

Steps = Generator[simpy.Event, None, None]


@dataclass(frozen=True)
class Costs:
    """Processor seconds of one request, and by what chance they differ."""

    loop: float
    """Of the event loop: to take it, and to send its answer."""
    lane: float
    """Of the lane: to decode the picture and to ask the network."""
    waking: float = 0.0
    """On top, of a request that finds the task long asleep, and so caches and branch predictors cold."""
    cooling: float = 0.01
    """Seconds of sleep after which 63% of that are due."""
    refusal: float = 0.0
    """Of the event loop, for what is refused."""
    elsewhere: float = 0.0
    """Of others, the caller and the wire, in which the task does something else."""
    spread: tuple[float, ...] = (1.0,)
    """Factors of `lane`, all as likely, 1 in the mean."""


@dataclass(slots=True)
class Request:
    """One on its way: what it is told of is called once with whether it was answered, or refused."""

    since: float
    told: Callable[[bool], None]


@dataclass
class Task:
    """The event loop and the lane take turns on what they may use of a processor; as under Python's lock, never both.

    A turn of the lane is a picture, one of the event loop all that waits for it, unless that takes longer than Python
    lets a thread keep the lock. What is used up in a period of the quota is given again at the beginning of the next.
    """

    env: simpy.Environment
    costs: Costs
    chance: random.Random
    processors: float = 0.5
    period: float = 0.1
    together: int = TOGETHER
    max_waiting: int = MAX_WAITING

    used: float = 0.0
    """Processor seconds so far."""
    _open: int = 0
    _waiting: int = 0
    _arrived: deque[Request] = field(default_factory=deque)
    _queue: deque[Request] = field(default_factory=deque)
    _batch: deque[Request] = field(default_factory=deque)
    _recognized: list[Request] = field(default_factory=list)
    _done: list[Request] = field(default_factory=list)
    _woken: simpy.Event | None = None

    def __post_init__(self) -> None:
        self._left, self._period_ends = self.processors * self.period, self.env.now + self.period
        self.env.process(self._run())

    @property
    def idle(self) -> bool:
        return not self._open

    def take(self, request: Request) -> None:
        """A request has come. Where there are too many connections, it is refused before it is read."""
        if self._open == MAX_CONNECTIONS:
            request.told(False)
            return
        self._open += 1
        self._arrived.append(request)
        if self._woken is not None:
            self._woken.succeed()
            self._woken = None

    def _run(self) -> Steps:
        while True:
            if self.idle:
                self._woken, since = self.env.event(), self.env.now
                yield self._woken
                cold = 1 - math.exp((since - self.env.now) / self.costs.cooling)
                yield from self._spend(self.costs.waking * cold)
            yield from self._loop()
            yield from self._lane()

    def _loop(self) -> Steps:
        """Answer what the lane has done, and take what has come."""
        self._waiting -= len(self._done)
        for request in self._done:
            yield from self._spend(self.costs.loop / 2)
            self._tell(request, answered=True)
        self._done = []
        left = sys.getswitchinterval()
        refused = list[Request]()
        while self._arrived and left > 0:
            request = self._arrived.popleft()
            if self._waiting >= self.max_waiting:
                left -= self.costs.refusal
                refused.append(request)
            else:
                left -= self.costs.loop / 2
                self._waiting += 1
                yield from self._spend(self.costs.loop / 2)
                self._queue.append(request)
        yield from self._spend(self.costs.refusal * len(refused))  # at once: in a collapse there are very many
        for request in refused:
            self._tell(request, answered=False)

    def _lane(self) -> Steps:
        """Recognize one of the pictures taken together; with the last of them the event loop learns of all."""
        if not self._batch:
            while self._queue and len(self._batch) < self.together:
                self._batch.append(self._queue.popleft())
        if not self._batch:
            return
        self._recognized.append(self._batch.popleft())
        yield from self._spend(self.costs.lane * self.chance.choice(self.costs.spread))
        if not self._batch:
            self._done, self._recognized = self._done + self._recognized, []

    def _tell(self, request: Request, answered: bool) -> None:
        self._open -= 1
        request.told(answered)

    def _spend(self, seconds: float) -> Steps:
        """Use the processor, which takes longer where the quota is used up."""
        self.used += seconds
        while seconds > 0:
            if self.env.now >= self._period_ends:
                self._period_ends += ((self.env.now - self._period_ends) // self.period + 1) * self.period
                self._left = self.processors * self.period
            if self._left > 0:
                now = min(seconds, self._left)
                yield self.env.timeout(now)
                self._left -= now
                seconds -= now
            else:
                yield self.env.timeout(self._period_ends - self.env.now)
