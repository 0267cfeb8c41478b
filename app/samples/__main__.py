"""Look after samples: `python -m app.samples`, on the database of DIGITS_SAMPLES_DATABASE."""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from app import settings
from app.client.client import Client
from app.client.errors import ApiError
from app.samples.database import Database, answers, url_of
from app.samples.errors import NoRoom, SamplesError
from app.samples.export import BrokenExport, open_export, write
from app.samples.migration import HEAD, migrate, version
from app.samples.outbox import Outbox
from app.samples.roles import APP, TRAINER, grant
from app.samples.sample import NOT_A_CHARACTER, Sample, hashed, now
from app.samples.selection import Filters
from app.samples.store import Receipt, Store, opened, opened_server

_HASH: Final = re.compile(r"[0-9a-f]{64}")

_SHOWN_ID: Final = 32


class Wrong(Exception):
    """What was asked for cannot be done; the message says why."""


class _Quiet:
    """Tells nobody what becomes of samples."""

    def sample(self, outcome: str) -> None: ...

    def moved(self, samples: int, waiting: int) -> None: ...

    def away(self, reason: str) -> None: ...


def the_store() -> Store:
    """The database of the settings, with what waits for it on this machine. Raises Wrong, Unavailable."""
    known = settings.load()
    if not known.samples_database:
        raise Wrong("DIGITS_SAMPLES_DATABASE is empty: no samples are kept.")
    if not known.samples_server:
        return opened(str(known.samples_file))
    if known.samples_file.exists():
        outbox = Outbox(opened(str(known.samples_file)), known, _Quiet())
        with suppress(NoRoom):
            while outbox.move():
                pass
        return outbox.remote()
    return opened_server(known)


def list_samples(args: argparse.Namespace) -> int:
    page = the_store().page(_filters(args), args.order, args.limit)
    rows = [
        (
            one.id[:_SHOWN_ID],
            f"{one.time:%Y-%m-%d %H:%M:%S}",
            one.alphabet,
            _label(one.label) + (" ✓" if one.reviewed else ""),
            one.answer or "",
            "" if one.confidence is None else f"{one.confidence:.1%}",
            one.source,
        )
        for one in page.samples
    ]
    _print_table(("id", "time", "alphabet", "label", "answer", "confidence", "source"), rows)
    if page.next:
        print("There are more: --limit shows them.")
    return 0


def stats(args: argparse.Namespace) -> int:
    found = the_store().stats()
    rows = [
        (one.alphabet, _label(one.label), "yes" if one.reviewed else "no", one.source, str(one.samples), str(one.right))
        for one in found
    ]
    _print_table(("alphabet", "label", "reviewed", "source", "samples", "of these answered right"), rows)
    total, megabytes = sum(one.samples for one in found), sum(one.bytes for one in found) / 1e6
    since = f", from {min(one.first for one in found):%Y-%m-%d} on" if found else ""
    print(f"{total} samples, {megabytes:.1f} MB of pictures{since}.")
    return 0


def export(args: argparse.Namespace) -> int:
    if args.url and _filters(args) != Filters():
        raise Wrong("An API gives all of its samples: --url goes without --alphabet, --label and the like.")
    manifest = write(_remote(args) if args.url else the_store().each(_filters(args)), args.target)
    print(f"{args.target}: {manifest['count']} samples, version {manifest['version']}.")
    return 0


def import_samples(args: argparse.Namespace) -> int:
    manifest, samples = open_export(args.source)
    counted = the_store().take(samples)
    told = ", ".join(
        f"{count} {outcome.value}" for outcome, count in sorted(counted.items(), key=lambda one: one[0].value)
    )
    print(f"Version {manifest['version']}: {told or 'no samples'}.")
    return 0


def relabel(args: argparse.Namespace) -> int:
    store = the_store()
    alphabet = store.sample(args.id).alphabet
    known = _labels(alphabet)
    if args.label not in (NOT_A_CHARACTER, *known):
        raise Wrong(f"The alphabet {alphabet} has no label {args.label!r}. It has: {', '.join(known)}.")
    store.relabel(args.id, args.label)
    print(f"{args.id} is {_label(args.label)}.")
    return 0


def delete(args: argparse.Namespace) -> int:
    """The receipt is JSON, for `verify --receipt`."""
    store = the_store()
    if args.visitor:
        whose = args.visitor if _HASH.fullmatch(args.visitor) else hashed(args.visitor)
        receipts = [store.forget(whose)]
    elif args.older_than is not None:
        receipts = [store.delete_before(now() - timedelta(days=args.older_than))]
    else:
        receipts = [store.delete(id) for id in args.ids]
    print(json.dumps(_receipt(receipts), indent=1))
    return 0


def verify(args: argparse.Namespace) -> int:
    """Whether all is as it was written, and nothing that was deleted is in a data set, or in that of a model."""
    found: list[str] = []
    store = None if args.receipt else the_store()
    if store and not (args.export or args.model):
        changed = store.changed_pictures()
        found += [f"The picture of {id} was changed in the database." for id in changed]
        print(f"{store.count()} samples, {len(changed)} of them with a changed picture.")
    for source in args.export:
        manifest, samples = open_export(source)
        count = sum(1 for _ in samples)
        print(f"{source}: {count} samples, version {manifest['version']}, as they were written.")
        found += _deleted_in(f"{source}, version {manifest['version']},", manifest, store, args.receipt)
    for record in args.model:
        learned = json.loads(record.read_text()).get("samples")
        if not learned:
            print(f"{record}: the model has learned from no samples.")
            continue
        found += _deleted_in(f"The data of {record}, version {learned['version']},", learned, store, args.receipt)
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


def tend(args: argparse.Namespace) -> int:
    """What a server has done at its start and every day."""
    os.nice(10)
    store, days = the_store(), settings.load().samples_days
    if days:
        receipt = store.delete_before(now() - timedelta(days=days))
        print(f"{len(receipt.ids)} samples were older than {days} days and are deleted.")
    store.drop_marks()
    return 0


def migrate_server(args: argparse.Namespace) -> int:
    """What an app with DIGITS_SAMPLES_MIGRATE=false leaves to the tables' owner."""
    known = settings.load()
    if not known.samples_server:
        raise Wrong("DIGITS_SAMPLES_DATABASE names no server; the tables in a file are kept up to date without this.")
    url = url_of(known.samples_server)
    if args.wait is not None and not answers(url, args.wait):
        print("Nothing answers at the database's address: its tables stay as they are.", file=sys.stderr)
        return 0
    database = Database(url, iam_region=known.samples_iam_region)
    with database.reading() as connection:
        found = version(connection)
    if found is not None and found > HEAD:
        print(f"The schema {found} is of a later version, and has what this one needs.")
        return 0
    migrate(database)
    if args.roles:
        with database.writing() as connection:
            grant(connection)
    print(f"The schema is {HEAD}{', and the roles are as they should be' if args.roles else ''}.")
    return 0


def _remote(args: argparse.Namespace) -> Iterable[Sample]:
    """From a running API, with an admin's key. Raises Wrong, ApiError."""
    key = settings.first_key(args.admin_key_from_env)
    if not key:
        raise Wrong(
            f"{args.admin_key_from_env} has no admin's key, without which {args.url} does not give samples away."
        )
    with Client(args.url, key) as client:
        yield from client.export()


def _deleted_in(what: str, data: dict[str, Any], store: Store | None, receipt: Path | None) -> list[str]:
    """What speaks against it: one sentence for each deleted sample that some data holds."""
    held = set(data["ids_sha256"])
    if receipt is not None:
        gone = set(json.loads(receipt.read_text())["ids_sha256"])
    else:
        assert store is not None
        gone = store.deleted(held)
    if not held & gone:
        print(f"{what} has {len(held)} samples, and none that was deleted.")
    return [f"{what} holds a deleted sample: the SHA-256 of its id is {one}." for one in sorted(held & gone)]


def _receipt(receipts: Sequence[Receipt]) -> dict[str, Any]:
    ids = [id for receipt in receipts for id in receipt.ids]
    return {
        "deleted": len(ids),
        "time": receipts[-1].time.isoformat(timespec="seconds"),
        "ids": ids,
        "ids_sha256": sorted(hashed(id) for id in ids),
    }


def _labels(alphabet: str) -> list[str]:
    """Of the installed model. Raises Wrong."""
    from app.reading.recognizer import MODEL_FILE, Recognizer, UnusableModel

    try:
        return list(Recognizer(settings.load().models_dir / alphabet / MODEL_FILE).labels)
    except (UnusableModel, OSError) as error:
        raise Wrong(f"What labels the alphabet {alphabet} has cannot be told: {error}") from None


def _label(label: str | None) -> str:
    return {None: "?", NOT_A_CHARACTER: "no character"}.get(label, label or "")


def _filters(args: argparse.Namespace) -> Filters:
    return Filters(
        alphabet=args.alphabet, label=args.label, source=args.source, verdict=args.verdict, reviewed=args.reviewed
    )


def _print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.samples", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, does: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help)
        added.set_defaults(does=does)
        return added

    filters = argparse.ArgumentParser(add_help=False)
    filters.add_argument("--alphabet")
    filters.add_argument("--label", help='"": no character')
    filters.add_argument("--source")
    filters.add_argument("--verdict", choices=["none", "right", "wrong", "not_a_character"])
    filters.add_argument("--reviewed", action=argparse.BooleanOptionalAction, help="by an admin")

    listing = commands.add_parser("list", parents=[filters], help="show samples, ✓ where an admin has reviewed them")
    listing.set_defaults(does=list_samples)
    listing.add_argument("--order", choices=["newest", "doubtful", "suspect"], default="newest", help="(%(default)s)")
    listing.add_argument("--limit", type=int, default=50, help="(%(default)s)")

    command("stats", stats, "count samples by alphabet, label and source")

    exporting = commands.add_parser("export", parents=[filters], help="write a data set of Parquet and PNG")
    exporting.set_defaults(does=export)
    exporting.add_argument("target", type=Path, help="a folder that is not there yet, or a file that ends in .zip")
    exporting.add_argument("--url", help="of a running API, from which all samples are taken, in place of the database")
    exporting.add_argument(
        "--admin-key-from-env",
        metavar="NAME",
        default="DIGITS_ADMIN_KEYS",
        help="the variable with an admin's key for that API (%(default)s)",
    )

    importing = command("import", import_samples, "take in a data set; what is there already stays as it is")
    importing.add_argument("source", type=Path, help="a folder or a .zip that export has written")

    relabelling = command("relabel", relabel, "say what a sample really is")
    relabelling.add_argument("id")
    relabelling.add_argument("label", help='"": no character')

    deleting = command("delete", delete, "delete samples for good, and print a receipt")
    which = deleting.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", dest="ids", nargs="+", metavar="ID")
    which.add_argument("--visitor", metavar="TOKEN", help="or its SHA-256")
    which.add_argument("--older-than", type=int, metavar="DAYS")

    verifying = command("verify", verify, "check the database, data sets, and that models learned from nothing deleted")
    verifying.add_argument("export", type=Path, nargs="*", help="a folder or a .zip")
    verifying.add_argument("--model", type=Path, action="append", default=[], metavar="RECORD", help="its record.json")
    verifying.add_argument("--receipt", type=Path, help="look for its samples alone, without a database")

    migrating = command("migrate", migrate_server, "bring a server's tables up to date, as their owner")
    migrating.add_argument(
        "--roles", action="store_true", help=f"make {APP} and {TRAINER}, too, and let them do no more than they need"
    )
    migrating.add_argument(
        "--wait",
        type=float,
        metavar="SECONDS",
        help="where nothing answers at the address for so long, end well all the same: an app that finds other tables "
        "than it needs leaves samples in its outbox",
    )

    command("tend", tend, "bring the database's tables up to date, and delete what is older than DIGITS_SAMPLES_DAYS")
    return parser


def main() -> None:
    args = _parser().parse_args()
    try:
        status = args.does(args)
    except (Wrong, SamplesError, BrokenExport, ApiError, OSError) as error:
        print(error, file=sys.stderr)
        status = 1
    except ModuleNotFoundError as error:
        sentence = (
            f"{error.name} is not installed here; the image leaves it out. Take samples from its API: export --url."
        )
        print(sentence, file=sys.stderr)
        status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
