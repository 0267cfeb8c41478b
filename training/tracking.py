"""Weights & Biases, or nothing: the same three calls either way, and no failure of it stops a training run."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from training.progress import console


class Tracker(Protocol):
    def log(self, metrics: dict[str, float], step: int) -> None: ...

    def pictures(self, files: list[Path]) -> None: ...

    def finish(self, record: dict[str, Any], model_file: Path | None = None) -> None: ...


class NoTracker:
    """Tracks nothing."""

    def log(self, metrics: dict[str, float], step: int) -> None:
        pass

    def pictures(self, files: list[Path]) -> None:
        pass

    def finish(self, record: dict[str, Any], model_file: Path | None = None) -> None:
        pass


class WandbTracker:
    """A W&B run: online with an account (`wandb login` or WANDB_API_KEY), else offline, to be synced later."""

    def __init__(self, project: str, name: str, config: dict[str, Any], folder: Path, group: str | None) -> None:
        import wandb  # takes a second to import, and only tracked runs need it

        signed_in = bool(os.environ.get("WANDB_API_KEY")) or _has_login()
        mode = os.environ.get("WANDB_MODE") or ("online" if signed_in else "offline")
        folder.mkdir(parents=True, exist_ok=True)
        self._wandb = wandb
        self._run = wandb.init(
            project=project,
            name=name,
            config=config,
            dir=str(folder),
            group=group,
            mode=mode,  # type: ignore[arg-type]  # the environment may say any of W&B's modes
            settings=wandb.Settings(silent=True, console="off"),
        )
        self.offline = mode == "offline"
        self.folder = Path(self._run.dir).parent

    def log(self, metrics: dict[str, float], step: int) -> None:
        self._run.log(metrics, step=step)

    def pictures(self, files: list[Path]) -> None:
        self._run.log({file.stem: self._wandb.Image(str(file)) for file in files})

    def finish(self, record: dict[str, Any], model_file: Path | None = None) -> None:
        if model_file is None:
            self._run.summary.update(record)
        else:
            artifact = self._wandb.Artifact(model_file.stem, type="model", metadata=record)
            artifact.add_file(str(model_file))
            self._run.log_artifact(artifact)
        self._run.finish()
        if self.offline:
            console.print(f"W&B: logged offline. To upload: [bold]wandb sync {self.folder}[/bold]")


class Forgiving:
    """Passes calls on until one fails, says so once, and from then on tracks nothing."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def log(self, metrics: dict[str, float], step: int) -> None:
        self._try(lambda: self._tracker.log(metrics, step))

    def pictures(self, files: list[Path]) -> None:
        self._try(lambda: self._tracker.pictures(files))

    def finish(self, record: dict[str, Any], model_file: Path | None = None) -> None:
        self._try(lambda: self._tracker.finish(record, model_file))

    def _try(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # whatever the tracker's trouble, training goes on
            _say_untracked(error)
            self._tracker = NoTracker()


def start(
    track: bool, *, name: str, config: dict[str, Any], folder: Path, project: str, group: str | None = None
) -> Tracker:
    """A tracker that cannot fail: W&B's, or one that does nothing when `track` is False or W&B cannot start."""
    if not track:
        return NoTracker()
    try:
        return Forgiving(WandbTracker(project, name, config, folder, group))
    except Exception as error:  # as above
        _say_untracked(error)
        return NoTracker()


def _say_untracked(error: Exception) -> None:
    console.print(f"W&B failed ({type(error).__name__}: {error}). Training goes on, untracked.", style="yellow")


def _has_login() -> bool:
    import netrc

    try:
        return netrc.netrc().authenticators("api.wandb.ai") is not None
    except (FileNotFoundError, netrc.NetrcParseError):
        return False
