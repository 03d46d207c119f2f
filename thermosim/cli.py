"""``thermosim show | report | validate | doctor``: what one does with a file and a machine.

Heavy modules are imported by the command that needs them, so that ``--help`` is immediate.
"""

import sys

from .command import Parser, run
from .names import unknown
from .version import __version__


def main(argv=None):
    """The console command; returns its exit code (`command.run`)."""
    return run(_main, sys.argv[1:] if argv is None else argv)


def _main(argv):
    parser, commands = _parsers()
    if argv and not argv[0].startswith("-") and argv[0] not in commands:
        raise unknown("command", argv[0], commands)
    args = parser.parse_args(argv)
    return args.command(args)


def _parsers():
    parser = Parser("thermosim", description="Diffusion models measured as thermodynamic systems.")
    parser.add_argument("--version", action="version", version=f"thermosim {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    show = commands.add_parser("show", help="print what a file holds: its table, its provenance")
    show.add_argument("file")
    show.add_argument("--ledger", metavar="PATH", help="print this table of the file, as ledger/...")
    show.set_defaults(command=_show)

    report = commands.add_parser("report", help="draw every figure from a file alone")
    report.add_argument("file")
    report.add_argument("--out", metavar="DIR", help="folder for the figures (that of the file)")
    report.set_defaults(command=_report)

    validate = commands.add_parser("validate", help="compute every reference number and compare")
    validate.add_argument("--section", help="only the rows of this section")
    validate.add_argument("--json", action="store_true", help="print JSON")
    validate.add_argument("--fast", action="store_true", help="only rows that take less than about a second")
    validate.set_defaults(command=_validate)

    doctor = commands.add_parser("doctor", help="what this machine has, and what it lacks")
    doctor.set_defaults(command=_doctor)
    return parser, list(commands.choices)


def _show(args):
    from .show import show

    show(args.file, args.ledger)


def _report(args):
    from .report import draw

    draw(args.file, args.out)


def _validate(args):
    from .validate import main as validate

    return 0 if validate(args.section, args.json, args.fast) else 1


def _doctor(args):
    from .doctor import main as doctor

    return doctor()
