"""The screens against the figures of quality.md: ``python -m tests.bench.bench_ui [seconds]``.

Each app runs in a process of its own on a pseudo-terminal of 200×50, as a person would run it. The baseline is a
DataTable app that shows the same cells of the same 200 printers at the same 4 Hz, in the same run.
"""

import fcntl
import os
import pty
import resource
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

COLUMNS, LINES = 200, 50
ROOT = Path(__file__).parents[2]


class Terminal:
    """A program on a pseudo-terminal; counts what it writes."""

    def __init__(self, *words: str) -> None:
        self.started = time.monotonic()
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT)}
        for name in ("NO_COLOR", "SSH_CONNECTION", "KILN_ASCII"):
            env.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.bench_ui", *words],
            stdin=slave, stdout=slave, stderr=slave, env=env, cwd=ROOT, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.fd = master
        self.seen = b""

    def read(self, seconds: float) -> bytes:
        """What it writes during this time."""
        end, got = time.monotonic() + seconds, b""
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self.fd], [], [], left)
            if ready:
                got += os.read(self.fd, 65_536)
        self.seen += got
        return got

    def wait_for(self, text: bytes, seconds: float = 20.0) -> float:
        """Seconds since the start until `text` was written."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{text!r} was never painted; got {self.seen[-400:]!r}")
            if select.select([self.fd], [], [], left)[0]:
                self.seen += os.read(self.fd, 65_536)
        return time.monotonic() - self.started

    def key_to_paint(self, keys: int = 40) -> list[float]:
        """Milliseconds from a key to the first bytes that it causes; telemetry in between is drained first."""
        times = []
        for number in range(keys):
            while select.select([self.fd], [], [], 0.012)[0]:
                os.read(self.fd, 65_536)
            start = time.monotonic()
            os.write(self.fd, b"\x1b[B" if number % 20 < 10 else b"\x1b[A")
            if select.select([self.fd], [], [], 1.0)[0]:
                times.append((time.monotonic() - start) * 1000)
                os.read(self.fd, 65_536)
            time.sleep(0.05)
        return times

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6

    def close(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.fd)


def run_kiln(kind: str, screen: str) -> None:
    """Our app on 200 live printers, or on a quiet shop."""
    from kiln_tui.app import KilnApp
    from tests.screens.fake_client import client

    app = KilnApp(client(kind))
    if screen != "triage":
        app.call_later(lambda: app.set_timer(0.2, lambda: app.go(screen)))
    app.run()


def run_table() -> None:
    """The baseline: a DataTable with the same cells."""
    from textual.app import App
    from textual.widgets import DataTable

    from kiln_tui.presentation.icons import UNICODE
    from kiln_tui.presentation.look import Look
    from kiln_tui.rows import printer_row
    from tests.screens import canned

    class Table(App[None]):
        def compose(self):  # type: ignore[no-untyped-def]  # a yield of Textual's
            yield DataTable(cursor_type="row")

        def cells(self, tick: int) -> list[tuple[str, list[str]]]:
            shop = canned.farm(200, tick)
            look = Look(UNICODE, None, shop.wall)
            return [
                (row.printer.printer_id, [text for text, _ in printer_row(row, 200, look)])
                for row in shop.printers
            ]

        def on_mount(self) -> None:
            table = self.query_one(DataTable)
            rows = self.cells(1)
            self.width = max(len(cells) for _, cells in rows)
            self.keys = table.add_columns(*(str(n) for n in range(self.width)))
            for key, cells in rows:
                table.add_row(*cells, *[""] * (self.width - len(cells)), key=key)
            self.tick = 1
            self.before = dict(rows)
            self.set_interval(0.25, self.update)

        def update(self) -> None:
            self.tick += 1
            table = self.query_one(DataTable)
            for key, cells in self.cells(self.tick):
                for column, (old, new) in enumerate(zip(self.before[key], cells, strict=False)):
                    if old != new:
                        table.update_cell(key, self.keys[column], new)
                self.before[key] = cells

    Table().run()


def measure(words: tuple[str, ...], marker: bytes, seconds: float) -> dict[str, float]:
    """First paint, processor share, bytes per second, key to paint, memory."""
    terminal = Terminal(*words)
    try:
        first = terminal.wait_for(marker)
        terminal.read(2.5)
        cpu, wall = terminal.cpu(), time.monotonic()
        written = len(terminal.read(seconds))
        spent, took = terminal.cpu() - cpu, time.monotonic() - wall
        keys = sorted(terminal.key_to_paint())
        return {
            "first paint ms": first * 1000,
            "cpu %": spent / took * 100,
            "kB/s": written / took / 1000,
            "key p50 ms": statistics.median(keys) if keys else float("nan"),
            "key p95 ms": keys[int(len(keys) * 0.95)] if keys else float("nan"),
            "rss MB": terminal.rss_mb(),
        }
    finally:
        terminal.close()


GOALS = {"first paint ms": 300, "cpu %": 2.5, "kB/s": 3.5, "key p50 ms": 8, "key p95 ms": 25, "rss MB": 60}


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    starts = []
    for _ in range(5):
        terminal = Terminal("app", "full", "triage")
        try:
            starts.append(terminal.wait_for(b"ATTENTION NOW") * 1000)
        finally:
            terminal.close()
    ours = measure(("app", "farm", "printers"), b"farm-001", seconds)
    generate = measure(("generate",), b"generating", seconds)
    table = measure(("table",), b"farm-001", seconds)
    idle = measure(("app", "idle", "triage"), b"Nothing needs you", seconds)
    print(f"start to useful first paint, best of 5: {min(starts):.0f} ms, median {statistics.median(starts):.0f} ms "
          f"(goal {GOALS['first paint ms']} ms; peers 319 to 1563 ms by style.md)")  # fmt: skip
    print(f"making 200 canned printers at 4 Hz costs {generate['cpu %']:.1f} % of a core; taken off below")
    print(f"{'200 rows at 4 Hz, 200×50':<26}{'kiln':>10}{'DataTable':>12}{'ratio':>9}{'goal':>8}")
    for name, goal in GOALS.items():
        if name == "first paint ms":
            continue
        a, b = ours[name], table[name]
        if name == "cpu %":
            a, b = a - generate[name], b - generate[name]
        print(f"{name:<26}{a:>10.1f}{b:>12.1f}{b / a if a else float('inf'):>8.1f}×{goal:>8}")
    print(f"idle: {idle['cpu %']:.2f} % of a core, {idle['kB/s'] * 1000:.0f} B/s (goal 0.1 %, 0 B/s)")


def generate() -> None:
    """Only make the shops, so that the fake client's own cost is known."""
    from tests.screens import canned

    print("generating", flush=True)
    tick = 0
    while True:
        tick += 1
        canned.farm(200, tick)
        time.sleep(0.25)


if __name__ == "__main__":
    match sys.argv[1:2]:
        case ["app"]:
            run_kiln(sys.argv[2], sys.argv[3])
        case ["table"]:
            run_table()
        case ["generate"]:
            generate()
        case _:
            main()
