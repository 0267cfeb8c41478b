"""What served when, and back again: `python -m app.models list`, `use VERSION`, `back` or `prune`.

A running API takes up what is put in place, without a restart. With --bucket, s3://NAME or a folder, all do that look
there; `keep` puts a model into it, and `use image` has each serve again what it came with.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app import settings
from app.models.bucket import BucketError, bucket_at
from app.models.releases import IMAGE, Releases
from app.models.shelf import NoSuchVersion, Shelf
from app.reading.recognizer import UnusableModel


def show(shelf: Shelf | Releases) -> list[str]:
    """The history, the present version marked, and what is kept and has never served."""
    history, kept = shelf.history, shelf.kept
    served = {entry.name for entry in history}
    rows = [(" ", entry.since, entry.name, entry.how) for entry in history]
    rows[-1:] = [("*", *row[1:]) for row in rows[-1:]]
    rows += [(" ", "never served", name, "") for name in kept if name not in served]
    width = max((len(name) for _, _, name, _ in rows), default=0)
    told = [
        f"{mark} {since:25} {name:{width}} {how:9} {_about(shelf, name, kept)}".rstrip()
        for mark, since, name, how in rows
    ]
    return told if history else [f"Nothing has been changed yet: {shelf.alphabet} is served as it came.", *told]


def _about(shelf: Shelf | Releases, name: str, kept: Sequence[str]) -> str:
    """What a version was made of, and why it was refused, if it was."""
    if name not in kept:
        return "(what each came with)" if name == IMAGE else "(no longer kept)"
    record, parts = shelf.record(name), []
    if parents := record.get("parents"):
        parts.append(f"from {', '.join(parents)}")
    if samples := record.get("samples"):
        parts.append(f"{samples['count']} samples, {samples['version']}")
    if objections := record.get("gate", {}).get("objections"):
        parts.append(f"refused: {'; '.join(objections)}")
    return "; ".join(parts)


def main() -> None:
    config = settings.load()
    parser = argparse.ArgumentParser(
        prog="python -m app.models", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    here = argparse.ArgumentParser(add_help=False)
    here.add_argument("--alphabet", default=config.default_alphabet, metavar="NAME", help="(%(default)s)")
    shared = argparse.ArgumentParser(add_help=False, parents=[here])
    shared.add_argument(
        "--bucket",
        default=config.models_bucket,
        metavar="ADDRESS",
        help="s3://NAME or a folder, for all that look there (DIGITS_MODELS_BUCKET, now: %(default)s)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", parents=[shared], help="tell what served when, and what is kept beside")
    keep = commands.add_parser("keep", parents=[shared], help="keep a folder's model, without serving it")
    keep.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="(what is served from here)")
    use = commands.add_parser("use", parents=[shared], help="serve a version that is kept")
    use.add_argument("version", metavar="VERSION")
    commands.add_parser("back", parents=[shared], help="serve what served before; once more: what served before that")
    prune = commands.add_parser(
        "prune", parents=[here], help="delete versions that have not served for long; the history stays"
    )
    prune.add_argument(
        "--keep",
        type=int,
        default=10,
        metavar="N",
        help="but not what is served, nor the others of the N that served last or were kept last (%(default)s)",
    )
    args = parser.parse_args()
    folder = config.models_dir / args.alphabet
    if not folder.is_dir():
        sys.exit(f"There is no alphabet {args.alphabet} in {config.models_dir}.")
    try:
        if args.command == "prune":
            if args.keep < 1:
                prune.error("argument --keep: what is served stays; 1 or more are kept")
            names = Shelf(config.models_dir, args.alphabet).prune(args.keep)
            print(f"{args.alphabet}: deleted {', '.join(names) or 'nothing'}.")
            return
        if args.bucket:
            shelf: Shelf | Releases = Releases(bucket_at(args.bucket), args.alphabet, beside=folder)
            seconds = config.models_bucket_seconds
        else:
            shelf, seconds = Shelf(config.models_dir, args.alphabet), config.model_seconds
        print("\n".join(_done(shelf, args, folder, seconds)))
    except (NoSuchVersion, UnusableModel, BucketError) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{folder} cannot be changed: {error.strerror}.")


def _done(shelf: Shelf | Releases, args: argparse.Namespace, folder: Path, seconds: float) -> list[str]:
    """Do what was asked for; what there is to say."""
    if args.command == "list":
        return show(shelf)
    if args.command == "keep":
        return [f"{args.alphabet}: {shelf.put_aside(args.folder or folder)} is kept."]
    name = shelf.back() if args.command == "back" else shelf.use(args.version)
    every = f"within {seconds:g} seconds" if seconds else "from its next start"
    return [f"{args.alphabet}: {name} is in place; an API that runs serves it {every}."]


if __name__ == "__main__":
    main()
