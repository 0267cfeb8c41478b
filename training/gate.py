"""Whether a newly trained model may take the place of the live one: `python -m training.gate --live RECORD`.

It may where every figure of the live model's record was measured anew and none is worse than chance explains.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.models.shelf import RECORD_FILE
from training.package import installed

Figures = Mapping[str, Mapping[str, Any]]


def objections(live: Figures, new: Figures) -> list[str]:
    """What speaks against it: sets that are missing, and accuracies below the live one's interval."""
    found = []
    for name, figure in live.items():
        if "low" not in figure:
            continue
        if name not in new:
            found.append(f"{name}: not measured")
        elif new[name]["accuracy"] < figure["low"]:
            found.append(f"{name}: {new[name]['accuracy']:.2%}, and the live model {figure['accuracy']:.2%}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.gate", description=__doc__)
    parser.add_argument("--live", type=Path, required=True, metavar="RECORD", help="of the live model")
    parser.add_argument(
        "--new", type=Path, default=installed("digits") / RECORD_FILE, metavar="RECORD", help="(%(default)s)"
    )
    args = parser.parse_args()
    live, new = (json.loads(record.read_text())["figures"] for record in (args.live, args.new))
    if found := objections(live, new):
        sys.exit("The new model does not take the live one's place.\n" + "\n".join(found))


if __name__ == "__main__":
    main()
