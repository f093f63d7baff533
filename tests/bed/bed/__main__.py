"""Command line: `python3 -m bed run [--parts kafka,aws] [--foreground]`."""

import argparse
import sys

from .parts import PARTS
from .supervisor import run


def main():
    parser = argparse.ArgumentParser(prog="bed", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run", help="serve the control API until stdin ends")
    command.add_argument("--parts", default="", help="start these at once, comma separated: " + ", ".join(sorted(PARTS)))
    command.add_argument("--foreground", action="store_true", help="don't watch stdin; end on Ctrl-C or SIGTERM only")
    arguments = parser.parse_args()
    names = [name for name in arguments.parts.split(",") if name]
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        parser.error(f"no part named {', '.join(unknown)}; there are {', '.join(sorted(PARTS))}")
    return run(names, arguments.foreground)


sys.exit(main())
