"""A search for hyper-parameters: Optuna trials side by side on all devices, kept in one SQLite file."""

import dataclasses
import json
import multiprocessing
import shutil
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import torch
from optuna.trial import FrozenTrial, TrialState

from training import pictures
from training.devices import Device
from training.progress import console, track
from training.tracking import Tracker
from training.training_data import TrainingData

Objective = Callable[[optuna.Trial, Device], float]
"""Trains with what a trial suggests and returns the loss; reports each epoch's, and raises `TrialPruned`."""

Train = Callable[[Any, Device, TrainingData, Callable[[dict[str, float]], None]], None]
"""Trains with the settings that are given and passes on each epoch's row of the history."""

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclasses.dataclass(frozen=True)
class ShortTraining:
    """The objective of a search for settings: a training's mean cross-entropy on the validation sets."""

    settings: Any
    """What the search starts from; its `suggested` gives those of a trial."""
    train: Train
    data_file: Path
    """`TrainingData`, saved: each worker maps it, so that it is in memory once."""
    start_tracker: Callable[..., Tracker]
    """Takes `name` and `config`."""

    def __call__(self, trial: optuna.Trial, device: Device) -> float:
        settings = self.settings.suggested(trial)
        data = torch.load(self.data_file, mmap=True, weights_only=False)  # our own file of a moment ago
        tracker = self.start_tracker(name=f"trial-{trial.number}", config=dataclasses.asdict(settings))
        losses: list[float] = []

        def each_epoch(row: dict[str, float]) -> None:
            losses.append(row["validation loss"])
            tracker.log({key: value for key, value in row.items() if key != "epoch"}, step=int(row["epoch"]))
            trial.report(losses[-1], step=int(row["epoch"]))
            if trial.should_prune():
                raise optuna.TrialPruned

        try:
            self.train(settings, device, data, each_epoch)
        finally:
            tracker.finish({"validation loss": losses[-1]} if losses else {})
        return losses[-1]


def run(objective: Objective, count: int, first: dict[str, Any], conditions: dict[str, Any], folder: Path) -> None:
    """Try settings until `count` trials are finished, on all devices at once; draw and record what was found.

    An interrupted search goes on where it stopped, and a longer one where a shorter one ended.

    Args:
        objective: can be sent to another process.
        first: the settings of the first trial.
        conditions: what all trials have in common, such as their number of epochs.
        folder: where `study.db`, `search.json` and two pictures are kept.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    study = _study(folder)
    if study.user_attrs.get("conditions", conditions) != conditions:
        raise SystemExit(f"{folder / 'study.db'} was made under other conditions: {study.user_attrs['conditions']}.")
    study.set_user_attr("conditions", conditions)
    for interrupted in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(interrupted.number, state=TrialState.FAIL)
    study.enqueue_trial(first, skip_if_exists=True)

    spawn = multiprocessing.get_context("spawn")
    workers = [
        spawn.Process(target=_work, args=(objective, count, folder, device, number))
        for number, device in enumerate(Device.all())
    ]
    try:
        for worker in workers:
            worker.start()
            while worker.is_alive() and study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
                time.sleep(0.1)  # until one worker has the first trial: SQLite would let two take it
        for trial in track(_as_they_finish(study, workers), "trials", count):
            _say(trial)
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("A trial failed; what it said stands above. The same command goes on with the search.")
    _conclude(study, folder)


def install(folder: Path, model: Path) -> None:
    """Copy a search's record and pictures to where those of the served model are."""
    shutil.copy(folder / "search.json", model)
    for picture in folder.glob("*.png"):
        shutil.copy(picture, model / "pictures")


def _study(folder: Path, seed: int = 0) -> optuna.Study:
    return optuna.create_study(
        storage=f"sqlite:///{folder / 'study.db'}",
        study_name="search",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=8, multivariate=True),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
    )


def _work(objective: Objective, count: int, folder: Path, device: Device, number: int) -> None:
    """A worker's whole life: trials on one device until the study has enough."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends its workers
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    torch.set_num_threads(device.threads)
    study = _study(folder, seed=number)
    enough = optuna.study.MaxTrialsCallback(count, states=FINISHED)
    if len(study.get_trials(deepcopy=False, states=FINISHED)) < count:
        study.optimize(lambda trial: objective(trial, device), callbacks=[enough])


def _as_they_finish(study: optuna.Study, workers: list[Any]) -> Iterator[FrozenTrial]:
    """Each finished trial once, those of earlier runs first, until no worker is left."""
    seen: set[int] = set()
    working = True
    while working:
        working = all(worker.is_alive() or worker.exitcode == 0 for worker in workers)
        working = working and any(worker.is_alive() for worker in workers)
        for trial in study.get_trials(deepcopy=False, states=FINISHED):
            if trial.number not in seen:
                seen.add(trial.number)
                yield trial
        time.sleep(0.5)


def _say(trial: FrozenTrial) -> None:
    settings = ", ".join(f"{name} {value:.3g}" for name, value in trial.params.items())
    pruned = ", pruned" if trial.state == TrialState.PRUNED else ""
    console.print(f"trial {trial.number:3}  loss {trial.value:.4f}{pruned}  [dim]{settings}[/dim]", soft_wrap=True)


def _conclude(study: optuna.Study, folder: Path) -> None:
    trials = study.get_trials(deepcopy=False, states=FINISHED)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    importance, what = {}, "validation loss"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        plots = optuna.visualization.matplotlib
        pictures.save(plots.plot_optimization_history(study, target_name=what).figure, folder / "search-history.png")
        if len(complete) > 3:  # fewer say nothing of importance
            importance = optuna.importance.get_param_importances(study)
            pictures.save(
                plots.plot_param_importances(study, target_name=what).figure, folder / "search-importance.png"
            )
    record = {
        "conditions": study.user_attrs["conditions"],
        "best": {"trial": study.best_trial.number, "loss": study.best_value, "settings": study.best_params},
        "importance": importance,
        "trials": [
            {
                "trial": trial.number,
                "state": trial.state.name.lower(),
                "losses": list(trial.intermediate_values.values()),
                "settings": trial.params,
                "seconds": round(trial.duration.total_seconds()) if trial.duration else None,
            }
            for trial in trials
        ],
    }
    (folder / "search.json").write_text(json.dumps(record, indent=2) + "\n")
    best = ", ".join(f"{name}={value:.4g}" for name, value in study.best_params.items())
    console.print(f"Best of {len(trials)}: trial {study.best_trial.number}, loss {study.best_value:.4f}: {best}")
    console.print(f"Settings that are to ship go into Config in train_model.py. All trials: {folder / 'search.json'}")
