"""What every command line of this house owes its user: one line of reason, and an exit code."""

import argparse
import os
import sys
from pathlib import Path

from .errors import UserError


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line (UserError), not a page of usage."""

    def error(self, message):
        raise UserError(f"{message}; see {self.prog} --help")

    def add_run(self, out, quick):
        """The options of every experiment: --seed, --out and --quick, whose help is `quick`."""
        self.add_argument("--seed", type=whole_number("a seed is", 0, 2**63 - 1), default=0)
        self.add_argument("--out", type=Path, default=Path(out), help="default: %(default)s")
        self.add_argument("--quick", action="store_true", help=quick)


def whole_number(what, low=1000, high=10**8):
    """How an option reads a whole number within bounds; `what` begins the complaint: "particles are"."""
    def read(text):
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{what} a whole number from {low} to {high}, not {text!r}")
        return int(text)
    return read


def run(main, *args):
    """Call ``main(*args)`` as a command.

    Returns
    -------
    int
        The exit code: what `main` returned (None is 0); 2 after a UserError, whose line goes to
        stderr; 130 after Ctrl-C, with one line that says what was kept where something was
        (`checkpoint.Journal`). A reader that closes the pipe early (``| head``) is no error.
    """
    try:
        code = main(*args) or 0
        sys.stdout.flush()
        return code
    except UserError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print("\n" + " ".join(["interrupted", *map(str, stop.args)]), file=sys.stderr)
        return 130
    except BrokenPipeError:
        # what is still buffered must not fail once more when the interpreter closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
