"""A progress bar on a terminal; a line per tenth where the output is a file."""

import time
from typing import IO

WIDTH = 28


class Bar:
    """Called with what is being done, how much is done, and of how much."""

    def __init__(self, output: IO[str]) -> None:
        self.output, self.what, self.tenth, self.shown, self.began = output, "", -1, 0.0, time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        if what != self.what:
            self._finish_line()
            self.what, self.tenth, self.began = what, -1, time.monotonic()
        share = min(1.0, done / total) if total else 1.0
        if self.output.isatty():
            self._draw(share)
        elif int(share * 10) > self.tenth:
            self.tenth = int(share * 10)
            self.output.write(f"{what}: {self.tenth * 10} %\n")
            self.output.flush()

    def done(self) -> None:
        """Leaves the bar behind, full, and goes to the next line."""
        self._finish_line()

    def _draw(self, share: float) -> None:
        moment = time.monotonic()
        if share < 1 and moment - self.shown < 0.1:
            return
        self.shown = moment
        filled = round(share * WIDTH)
        self.output.write(
            f"\r{self.what:<32} [{'█' * filled}{'·' * (WIDTH - filled)}] {share:4.0%} {moment - self.began:4.0f} s"
        )
        self.output.flush()

    def _finish_line(self) -> None:
        if self.what and self.output.isatty():
            self._draw(1.0)
            self.output.write("\n")
