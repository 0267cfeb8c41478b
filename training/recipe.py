"""Train the model that ships: four teachers, then the network that learns from them, too.

    python -m training.recipe --data DIR --install    # all five, then serves the new model
    python -m training.recipe --data DIR --jobs 4     # the teachers side by side
    python -m training.recipe --data DIR --dry-run    # only says what would be run

Each training is a command of its own, train_model.py with --resume: after an interruption or an error, the same recipe
goes on where it stopped, and teachers whose weights are there are not trained again.
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.models.shelf import WEIGHTS_FILE
from training.progress import console

SCRIPT = Path(__file__).parent.parent / "train_model.py"
TEACHER_EPOCHS = 14


@dataclass(frozen=True)
class Teacher:
    """How a teacher's training differs: the more the teachers differ, the more they know together."""

    seed: int
    second_kernel: int
    """Side of the second convolution's kernel; the first has 5, the third 3."""
    poolings: int

    @property
    def name(self) -> str:
        return f"teacher-{self.seed}-{self.second_kernel}-{self.poolings}"


TEACHERS = (Teacher(11, 3, 3), Teacher(12, 5, 3), Teacher(13, 3, 2), Teacher(14, 5, 2))


@dataclass(frozen=True)
class Step:
    """One training: its command, the folder it writes to and the weights that it leaves there."""

    command: tuple[str, ...]
    output: Path

    @property
    def weights(self) -> Path:
        return self.output / WEIGHTS_FILE


class StepFailed(RuntimeError):
    """A training ended with an error; the message says which, and what to do."""


def training(data: Path, output: Path, *options: str) -> Step:
    command = (sys.executable, str(SCRIPT), "--data", str(data), "--output", str(output), "--resume", *options)
    return Step(command, output)


def teachers(data: Path, runs: Path) -> list[Step]:
    return [
        training(
            data,
            runs / teacher.name,
            *("--no-track", "--epochs", str(TEACHER_EPOCHS), "--seed", str(teacher.seed)),
            *("--kernels", "5", str(teacher.second_kernel), "3", "--poolings", str(teacher.poolings)),
        )
        for teacher in TEACHERS
    ]


def pupil(args: argparse.Namespace, taught_by: Sequence[Step]) -> Step:
    options = ["--teachers", *(str(teacher.weights) for teacher in taught_by)]
    options += ["--epochs", str(args.epochs)] if args.epochs else []
    options += ["--accuracy-floor", str(args.accuracy_floor)] if args.accuracy_floor is not None else []
    options += [f"--{name}" for name in ("install", "no-track") if getattr(args, name.replace("-", "_"))]
    return training(args.data, args.runs / "digits", *options)


def run(steps: Sequence[Step], jobs: int) -> None:
    """Run trainings, `jobs` at once; each then has its share of the cores and writes what it says to a file.

    Raises:
        StepFailed: one ended with an error; those that still ran were ended, too.
    """
    waiting, running = list(steps), dict[subprocess.Popen[bytes], Step]()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                step = waiting.pop(0)
                running[_start(step, jobs)] = step
            for process in [process for process in running if process.poll() is not None]:
                step = running.pop(process)
                if process.returncode:
                    where = "above" if jobs == 1 else f"in {_log(step)}"
                    raise StepFailed(
                        f"The training of {step.output.name} failed; what it said stands {where}. "
                        "The same command goes on from there."
                    )
                console.print(f"{step.output.name} is trained.")
            time.sleep(0.1)
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C would: its worker processes end, too
        for process in running:
            process.wait()


def carry_out(*stages: tuple[Sequence[Step], int]) -> None:
    """`run` one stage after the other; ends the program with a sentence where one fails or is interrupted."""
    try:
        for steps, jobs in stages:
            run(steps, jobs)
    except StepFailed as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted. The same command goes on.")


def _start(step: Step, jobs: int) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C reaches it through `run` alone, once."""
    if jobs == 1:
        console.print(f"Training {step.output.name} ...")
        return subprocess.Popen(step.command, start_new_session=True)
    console.print(f"Training {step.output.name}; follow it in {_log(step)} ...")
    step.output.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // jobs))}
    with _log(step).open("ab") as log:
        return subprocess.Popen(
            step.command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )


def _log(step: Step) -> Path:
    return step.output / "training.log"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.recipe", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    add("--runs", type=Path, default=Path("runs"), help="where each training has a folder (%(default)s)")
    add("--jobs", type=int, default=1, metavar="N", help="train this many teachers side by side (%(default)s)")
    add("--epochs", type=int, metavar="N", help="of the last training, from teachers (train_model.py's own)")
    add("--accuracy-floor", type=float, metavar="PERCENT", help="fail if the last one's test accuracy is lower")
    add("--install", action="store_true", help="serve the model that comes out")
    add("--no-track", action="store_true", help="do not log the last training to Weights & Biases; teachers never are")
    add("--dry-run", action="store_true", help="print the commands that are to be run, and run none")
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error("--jobs: at least 1")
    return args


def main() -> None:
    args = arguments()
    all_teachers = teachers(args.data, args.runs)
    missing = [teacher for teacher in all_teachers if not teacher.weights.is_file()]
    last = pupil(args, all_teachers)
    if args.dry_run:
        for step in (*missing, last):
            print(shlex.join(step.command))
        return
    console.print(f"{len(missing)} of {len(all_teachers)} teachers are to be trained, then the model from them.")
    carry_out((missing, args.jobs), ([last], 1))


if __name__ == "__main__":
    main()
