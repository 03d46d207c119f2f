"""How a long loop shows that it lives: a bar on a terminal, a line now and then in a log."""

import sys
import time


class Progress:
    """Iterate and show how far it has come.

    On a terminal this is a tqdm bar; elsewhere (a log file, a pipe) a line on stderr every `every`
    seconds, so a short loop is silent.

    Parameters
    ----------
    iterable : iterable
    label : str
        What is being done: "train", "cool".
    unit : str
        One turn of the loop.
    total : int, optional
        Number of turns; ``len(iterable)`` where it has one.
    every : float
        Seconds between lines where there is no terminal.

    Examples
    --------
    >>> steps = Progress(range(1000), "train")
    >>> for step in steps:
    ...     steps.note(f"loss {1 / (step + 1):.3f}")
    """

    def __init__(self, iterable, label, unit="step", total=None, every=30.0):
        self.iterable, self.label, self.unit, self.every = iterable, label, unit, every
        self.total = total if total is not None else getattr(iterable, "__len__", lambda: None)()
        self._note, self._bar = "", None

    def note(self, text):
        """Show `text` behind the bar or in the next line: the loss, the sampler at work."""
        self._note = text
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)

    def __iter__(self):
        return self._on_terminal() if sys.stderr.isatty() else self._in_log()

    def _on_terminal(self):
        from tqdm import tqdm

        with tqdm(self.iterable, self.label, self.total, unit=" " + self.unit, file=sys.stderr,
                  dynamic_ncols=True, leave=False) as self._bar:
            yield from self._bar
        self._bar = None

    def _in_log(self):
        start = last = time.monotonic()
        for done, item in enumerate(self.iterable):
            now = time.monotonic()
            if now - last >= self.every:
                last = now
                of = f"/{self.total}" if self.total is not None else ""
                line = f"{self.label}: {done}{of} {self.unit}s, {now - start:.0f} s"
                print(", ".join([line, self._note] if self._note else [line]), file=sys.stderr, flush=True)
            yield item
