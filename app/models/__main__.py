"""What served when, and back again: `python -m app.models list`, `use VERSION` or `back`.

A running API takes up what is put in place, without a restart.
"""

import argparse
import sys
from collections.abc import Callable

from app import settings
from app.models.shelf import NoSuchVersion, Shelf
from app.reading.recognizer import UnusableModel


def show(shelf: Shelf) -> list[str]:
    """The history, the present version marked, and what is kept and has never served."""
    history = shelf.history
    if not history:
        return [f"Nothing has been changed yet: {shelf.folder.name} is served as it came."]
    served = {entry.name for entry in history}
    rows = [(" ", entry.since, entry.name, entry.how) for entry in history]
    rows[-1] = ("*", *rows[-1][1:])
    rows += [(" ", "never served", name, "") for name in shelf.kept if name not in served]
    width = max(len(name) for _, _, name, _ in rows)
    return [
        f"{mark} {since:25} {name:{width}} {how:9} {_about(shelf, name)}".rstrip() for mark, since, name, how in rows
    ]


def _about(shelf: Shelf, name: str) -> str:
    """What a version was made of, and why it was refused, if it was."""
    if name not in shelf.kept:
        return "(no longer kept)"
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
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--alphabet", default=config.default_alphabet, metavar="NAME", help="(%(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", parents=[shared], help="tell what served when, and what is kept beside")
    use = commands.add_parser("use", parents=[shared], help="serve a version that is kept")
    use.add_argument("version", metavar="VERSION")
    commands.add_parser("back", parents=[shared], help="serve what served before; once more: what served before that")
    args = parser.parse_args()
    shelf = Shelf(config.models_dir, args.alphabet)
    if not shelf.folder.is_dir():
        sys.exit(f"There is no alphabet {args.alphabet} in {config.models_dir}.")
    if args.command == "list":
        print("\n".join(show(shelf)))
        return
    step: Callable[[], str] = shelf.back if args.command == "back" else lambda: shelf.use(args.version)
    try:
        name = step()
    except (NoSuchVersion, UnusableModel) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{shelf.folder} cannot be changed: {error.strerror}.")
    every = f"within {config.model_seconds:g} seconds" if config.model_seconds else "from its next start"
    print(f"{args.alphabet}: {name} is in place; an API that runs serves it {every}.")


if __name__ == "__main__":
    main()
