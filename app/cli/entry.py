"""The command `digits` of whoever has installed the app as a package."""

import sys


def main() -> None:
    try:
        from app.cli.__main__ import main as command
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is missing. The command line needs: pip install 'digit-recognition-app[cli]'")
    command()
