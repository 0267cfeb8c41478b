"""Read many pictures at once: `python -m app.cli predict FOLDER --output answers.csv`, or `digits` once installed."""

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NoReturn

import click

from app import cores, settings
from app.cli import evaluate, labelled, outputs, run, tables
from app.cli.answering import TOGETHER, CannotAnswer, Engine, Question, What
from app.cli.archives import BrokenArchive
from app.cli.journal import InUse
from app.cli.local import Local
from app.cli.outputs import Format
from app.cli.plan import NothingToRead
from app.cli.progress import Progress
from app.cli.run import OtherRun, Outcome, Run
from app.cli.tables import NoTable

KEY: Final = "DIGITS_API_KEY"
"""The environment's name for the key that is shown to a server: arguments can be seen by everybody on the machine."""

CALLS: Final = 4
"""That are made to a server at once, unless --jobs says otherwise."""

SOME_BROKEN, IMPOSSIBLE, INTERRUPTED = 1, 2, 130

_EXPLAINED: Final = (BrokenArchive, CannotAnswer, InUse, NothingToRead, NoTable, OtherRun)

_Command = Callable[..., None]


def _options(command: _Command) -> _Command:
    """What all commands that answer pictures take."""
    for option in (
        click.option("--alphabet", metavar="NAME", help="Which alphabet to recognize; the default one if not given."),
        click.option("--url", metavar="URL", help=f"Ask a server, with the key in {KEY}, if it wants one."),
        click.option(
            "--jobs", type=click.IntRange(1, 256), help="Processes (one a core), or calls of a server at once."
        ),
        click.option("--quiet", is_flag=True, help="No progress."),
    ):
        command = option(command)
    return command


def _many(command: _Command) -> _Command:
    for option in (
        click.argument("sources", nargs=-1, required=True, metavar="FILE|FOLDER|ARCHIVE.zip|TABLE.parquet|-..."),
        click.option("--output", "-o", metavar="FILE", help="A file to write; with --engine ray, a folder or its URL."),
        click.option("--format", type=click.Choice(["table", "jsonl", "csv", "parquet"]), help="By --output's ending."),
        click.option("--column", metavar="NAME", help="The column of a Parquet table that has the pictures."),
        click.option("--anew", is_flag=True, help="Write --output anew, whatever is there."),
        click.option(
            "--engine", type=click.Choice(["local", "ray"]), default="local", help="This machine, or a Ray cluster."
        ),
    ):
        command = option(command)
    return _options(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Recognize handwriting on many pictures: of folders, archives and tables.

    Each picture has a line in the output; one that cannot be read has its reason there. What was interrupted goes on
    where it stopped when the same command is given again. Ends with 0 if all pictures were read, with 1 if some were
    not, with 2 if nothing could be done and with 130 when interrupted.
    """


@main.command()
@_many
def predict(**options: Any) -> None:
    """Recognize the one character on each picture."""
    _answer("predict", **options)


@main.command()
@_many
def read(**options: Any) -> None:
    """Read the numbers, or lines of characters, on each picture."""
    _answer("read", **options)


@main.command("evaluate")
@click.argument("source", type=click.Path(exists=True, path_type=Path), metavar="FOLDER|ARCHIVE.zip|LIST.csv")
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="A PNG of the wrong and the doubtful.")
@click.option("--json", "as_json", is_flag=True, help="Figures for a program.")
@_options
def evaluate_command(
    source: Path,
    sheet: Path | None,
    as_json: bool,
    alphabet: str | None,
    url: str | None,
    jobs: int | None,
    quiet: bool,
) -> None:
    """Recognize pictures of which is known what they show, and say how many are right.

    Their labels are the names of the folders they lie in, or stand in a CSV file with the headings file and label.
    """
    with _explained(), TemporaryDirectory() as folder:
        count = labelled.count(source, Path(folder))
        engine = _engine("predict", alphabet, url, jobs)(count)
        progress = Progress(count, quiet=quiet)
        try:
            judgement = evaluate.judged(engine, labelled.pictures(source, Path(folder)), progress.advance)
        finally:
            progress.end()
            engine.close()
        click.echo(json.dumps(judgement.figures(), ensure_ascii=False) if as_json else judgement.in_words())
        if sheet:
            from app.cli.sheet import save  # and with it all that opens pictures

            save(sheet, judgement.wrong, judgement.doubtful)


@main.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE|FOLDER|ARCHIVE.zip|TABLE.parquet...")
@click.option("--output", "-o", required=True, metavar="FOLDER|URL", help="Where to write the shards.")
@click.option(
    "--shard-megabytes", type=click.IntRange(1, 4096), default=256, show_default=True, help="Of pictures in a shard."
)
@click.option("--column", metavar="NAME", help="The column of a Parquet table that has the pictures.")
@click.option("--anew", is_flag=True, help="Remove the shards that are there.")
@click.option("--quiet", is_flag=True, help="No progress.")
def pack(
    sources: tuple[str, ...], output: str, shard_megabytes: int, column: str | None, anew: bool, quiet: bool
) -> None:
    """Make Parquet tables of pictures, shards for --engine ray, which read faster than loose files."""
    with _reported(output, anew, "Not readable") as outcome:
        _batch("pack").Pack(sources, output, shard_megabytes * 1024 * 1024, column, quiet, anew).run(outcome)


def _answer(what: What, engine: str, output: str | None, **options: Any) -> None:
    if engine == "ray":
        _by_a_cluster(what, output, **options)
    else:
        if output and Path(output).is_dir():
            _give_up(f"{output} is a folder, and answers are written to a file.")
        _run(what, output=Path(output) if output else None, **options)


def _by_a_cluster(
    what: What,
    output: str | None,
    sources: tuple[str, ...],
    format: Format | None,
    anew: bool,
    alphabet: str | None,
    url: str | None,
    jobs: int | None,
    column: str | None,
    quiet: bool,
) -> None:
    if output is None or len(sources) != 1 or url or format not in (None, "parquet"):
        _give_up(
            "--engine ray makes shards of shards: one folder of Parquet tables, or its URL, and another as --output."
        )
    with _reported(output, anew) as outcome:
        _batch("job").Job(sources[0], output, _question(what, alphabet), column, jobs, quiet, anew).run(outcome)


def _batch(name: str) -> Any:
    """A module of what runs on a cluster, which is an extra."""
    try:
        return importlib.import_module(f"batch.{name}")
    except ModuleNotFoundError as error:
        _give_up(f"{error.name} is missing. Shards and clusters need: pip install '.[ray]'")


def _run(
    what: What,
    sources: tuple[str, ...],
    output: Path | None,
    format: Format | None,
    anew: bool,
    alphabet: str | None,
    url: str | None,
    jobs: int | None,
    column: str | None,
    quiet: bool,
) -> None:
    chosen = format or outputs.FORMATS.get(output.suffix.lower() if output else ".txt")
    if chosen is None:
        _give_up(f"What {output} is to be written as is not clear by its ending. Say so: --format")
    if chosen == "parquet" and output is None:
        _give_up("Parquet is written to a file: --output")
    asked = {
        "what": what,
        "sources": [source if source == "-" else str(Path(source).absolute()) for source in sources],
        "folder": str(Path.cwd()),
        "alphabet": alphabet,
        "column": column,
        "url": url,
    }
    with _reported(output, anew) as outcome:
        if chosen == "parquet":
            tables.parquet()  # before there is anything to write
        job = Run(
            what=what,
            sources=sources,
            format=chosen,
            started=_engine(what, alphabet, url, jobs),
            asked=asked,
            column=column,
            quiet=quiet or (output is None and sys.stdout.isatty()),
        )
        if output is None:
            job.to_standard_output(outcome)
        else:
            if anew:
                run.begin_anew(output)
            job.to_file(output, outcome)


def _engine(what: What, alphabet: str | None, url: str | None, jobs: int | None) -> Callable[[int], Engine]:
    """What starts the engine for so many pictures."""
    if url:
        from app.cli.remote import Remote

        return lambda _: Remote(url, os.environ.get(KEY), what, alphabet, jobs or CALLS)
    question = _question(what, alphabet)
    return lambda pictures: Local(question, min(jobs or cores.usable(), -(-pictures // TOGETHER)))


def _question(what: What, alphabet: str | None) -> Question:
    known = settings.load()
    return Question(what, alphabet or known.default_alphabet, known.models_dir, known.max_pixels)


@contextmanager
def _explained(outcome: Outcome | None = None, output: Path | str | None = None, anew: bool = False) -> Iterator[None]:
    """Around a run: what ends it is told in a sentence."""
    try:
        yield
    except KeyboardInterrupt:
        go_on = f" The same command{' without --anew' if anew else ''} goes on from there." if output else ""
        done = f" after {_pictures(outcome.answered)}" if outcome else ""
        click.echo(f"Interrupted{done}.{go_on}", err=True)
        sys.exit(INTERRUPTED)
    except _EXPLAINED as error:
        _give_up(str(error))
    except BrokenPipeError:  # whoever reads the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(IMPOSSIBLE)
    except OSError as error:
        _give_up(f"{error.filename or 'A file'}: {error.strerror or tables.first_line(error)}.")


@contextmanager
def _reported(output: Path | str | None, anew: bool, broken: str = "Without an answer") -> Iterator[Outcome]:
    """Around a run that many pictures go through: what became of them is told, and is the program's exit code."""
    outcome = Outcome()
    with _explained(outcome, output, anew):
        yield outcome
    _report(outcome, output, broken)
    sys.exit(SOME_BROKEN if outcome.broken else 0)


def _report(outcome: Outcome, output: Path | str | None, broken: str) -> None:
    if output is None and not outcome.broken and not outcome.passed_over:
        return
    before = f", {outcome.before:,} of them by an earlier run" if outcome.before else ""
    where = f", in {output}" if output else ""
    click.echo(f"{_pictures(outcome.answered)}{before}{where}.", err=True)
    if outcome.passed_over:
        files = "1 other file" if outcome.passed_over == 1 else f"{outcome.passed_over:,} other files"
        click.echo(f"Passed over, by its ending no picture: {files}.", err=True)
    if outcome.broken:
        click.echo(f"{broken}: {_pictures(outcome.broken)}.", err=True)
        for name, reason in outcome.listed:
            click.echo(f"  {name!r}: {reason}", err=True)
        if outcome.broken > len(outcome.listed):
            click.echo(f"  ... and {outcome.broken - len(outcome.listed):,} more, which stand in the output.", err=True)


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count:,} pictures"


def _give_up(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(IMPOSSIBLE)


if __name__ == "__main__":
    main(prog_name="python -m app.cli")
