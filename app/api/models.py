"""The models that an API process serves, each exchanged while it runs when another file takes its file's place.

The new file is loaded beside what is served, in a thread, and tried out. It is exchanged on the event loop, by one
assignment: whatever asks for a recognizer and its line reader without awaiting anything in between has those of one
model. Requests that are under way keep the recognizer that they began with.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from app.api import metrics
from app.models.shelf import Shelf
from app.reading.loading import BESIDE, Served, loaded
from app.reading.recognizer import MODEL_FILE, ModelRecord, UnusableModel

log = logging.getLogger(__name__)

REFUSED: Final = "A model file was refused: what was served before goes on."
"""What the log says then; an alarm in the cloud listens for it."""

Stamp = tuple[tuple[int, int, int] | None, ...]
"""By which a folder's model files are known to be others: inode, time and size of each; None where it is missing."""


class Models:
    """Of each folder of the models' folder, by its alphabet's name, that of the default alphabet first."""

    def __init__(self, folder: Path, default: str) -> None:
        """Load them all: of a model that cannot be used, what served in its place before, as `app.models` kept it.

        Raises UnusableModel where there is no such, and where the default alphabet is not among them.
        """
        self._folder = folder
        self._stamps = {found.name: _stamp(found) for found in self._folders()}
        served = {name: self._at_first(name) for name in self._stamps}
        if not served:
            raise UnusableModel(
                f"There is no model file {default}/{MODEL_FILE}. Train one: python train_model.py --install"
            )
        if default not in served:
            raise UnusableModel(
                f"No model file is of the default alphabet, {default}; there are models of {', '.join(served)}."
            )
        self.served = {default: served[default]} | served
        """Never changed, but replaced by another."""
        self.known = set(self.versions.items())
        """Alphabets and versions of what is served and was served before, by this process."""
        self.elsewhere: set[str] = set()
        """Alphabets that are served from elsewhere, whatever lies in their folder."""
        self.alone = asyncio.Lock()
        """Held while something is looked for that may be exchanged."""

    @property
    def records(self) -> list[ModelRecord]:
        return [one.recognizer.record for one in self.served.values()]

    @property
    def versions(self) -> dict[str, str]:
        return {record.alphabet: record.version for record in self.records}

    @property
    def of_lines(self) -> list[str]:
        """The alphabets of which lines can be read."""
        return [name for name, one in self.served.items() if one.line_reader]

    async def watch(self, seconds: float) -> None:
        """Take up other files, for ever; `seconds` lie between two looks at them."""
        while True:
            await asyncio.sleep(seconds)
            try:
                async with self.alone:
                    self.exchange(await asyncio.to_thread(self.fresh))
            except OSError:
                log.exception("The model files could not be looked at.")

    def exchange(self, successors: dict[str, Served]) -> None:
        """Serve these; on the event loop."""
        self.served = self.served | successors
        self.known |= self.versions.items()

    def fresh(self) -> dict[str, Served]:
        """What can be served of files that are others than at the last look; of those that cannot, the log tells why.

        Takes as long as loading does, in any thread, but in one at a time.
        """
        found = {}
        for folder in self._folders():
            stamp, name = _stamp(folder), folder.name
            if stamp == self._stamps.get(name):
                continue
            self._stamps[name] = stamp
            if name not in self.elsewhere and (successor := self.successor(name, partial(self.own, name))):
                found[name] = successor
        return found

    def _at_first(self, name: str) -> Served:
        try:
            return self.own(name)
        except UnusableModel as error:
            with suppress(UnusableModel):  # the history may be damaged, too
                for folder in Shelf(self._folder, name).served():
                    with suppress(UnusableModel):
                        before = loaded(folder, name)
                        _refuse(name, before.recognizer.record.version, error)
                        return before
            raise

    def own(self, name: str) -> Served:
        """What lies in an alphabet's folder. Raises UnusableModel."""
        return loaded(self._folder / name, name)

    def successor(self, name: str, load: Callable[[], Served]) -> Served | None:
        """What is loaded, where it may take the place of what is served; else None, and the log tells why.

        `load` may raise UnusableModel; what else it raises is raised.
        """
        try:
            served = load()
            before = self.served.get(name)
            if before and served.recognizer.labels != before.recognizer.labels:
                raise UnusableModel(f"{name}/{MODEL_FILE} tells other labels apart. To serve it, start the API anew.")
        except UnusableModel as error:
            _refuse(name, self.versions.get(name), error)
            return None
        metrics.MODEL_FILES.labels(name, "taken up").inc()
        told = {"alphabet": name, "before": self.versions.get(name), "version": served.recognizer.record.version}
        log.info("A model file was taken up.", extra={"fields": told})
        return served

    def _folders(self) -> list[Path]:
        return sorted(file.parent for file in self._folder.glob(f"*/{MODEL_FILE}"))


def _refuse(name: str, before: str | None, error: UnusableModel) -> None:
    metrics.MODEL_FILES.labels(name, "refused").inc()
    log.error(REFUSED, extra={"fields": {"alphabet": name, "before": before, "reason": str(error)}})


def _stamp(folder: Path) -> Stamp:
    return tuple(_of_file(folder / name) for name in (MODEL_FILE, *BESIDE))


def _of_file(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
