"""Asks the same of Timeglass and of others, in turns, and prints one table. Started by ../peers.sh."""

import json
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("TIMEGLASS_BENCH_ROUNDS", "3"))
# Events of the aggregate that is loaded.
EVENTS = 100_000
# A text that occurs nowhere: both have to look at everything.
NOWHERE = "n0wh3re-t0-be-f0und"
BEGIN, END = "<!-- peers begins: written by `benches/peers.sh --write` -->", "<!-- peers ends -->"


def seconds(command, **options):
    """How long a whole command takes, its start included."""
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    taken = time.perf_counter() - start
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command[:2]} failed: {done.stderr.decode()[-500:]}")
    return taken, done.stdout


def shell(store, sql):
    """What the sqlite3 shell says that a statement took, without the shell's own start."""
    _, out = seconds(["sqlite3", "-readonly", "-batch", store], input=f".timer on\n{sql};\n".encode())
    line = next(line for line in out.decode().splitlines() if line.startswith("Run Time: real"))
    return float(line.split()[3])


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, peer, theirs, ours, note=""):
        """Medians of both; either may be None where it was not measured."""
        theirs = statistics.median(theirs) if theirs else None
        ours = statistics.median(ours) if ours else None
        if theirs and ours:
            quicker = (
                f"Timeglass, {theirs / ours:.1f} times" if ours < theirs else f"**{peer}**, {ours / theirs:.1f} times"
            )
        else:
            quicker = ""
        self.rows.append((what, peer, shown(theirs), shown(ours), quicker, note))
        print("  ".join(cell for cell in self.rows[-1] if cell), file=sys.stderr)

    def text(self):
        lines = ["| What | Peer | Peer's time | Ours | Quicker | |", "|---|---|--:|--:|---|---|"]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in self.rows]) + "\n"


def shown(taken):
    if taken is None:
        return "–"
    return f"{taken * 1000:.2f} ms" if taken < 1 else f"{taken:.2f} s"


def in_turns(*asks):
    """Asks each in turn, in rounds; the times of each."""
    times = [[] for _ in asks]
    for _ in range(ROUNDS):
        for ask, list_ in zip(asks, times):
            list_.append(ask())
    return times


def figure(timeglass, store, only, what, *more):
    """The median of one line of `timeglass bench`."""
    _, out = seconds([timeglass, "bench", store, "--json", "--quiet", "--rounds", "1", "--only", only, *more])
    figures = json.loads(out)["figures"]
    return next(f for f in figures if f["what"].startswith(what))["median_ms"] / 1000


def sqlite_shell(table, timeglass, store):
    if not shutil.which("sqlite3"):
        table.add("scan, group, search, deep page", "sqlite3 shell", None, None, "not installed")
        return
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
        count = connection.execute("SELECT max(position) FROM events").fetchone()[0]
    scan = "SELECT sum(position + length(stream) + version + length(type) + length(recorded_at)) FROM events"
    group = "SELECT count(*) FROM (SELECT stream, count(*) AS n FROM events GROUP BY stream ORDER BY n)"
    like = f"SELECT count(*) FROM events WHERE data LIKE '%{NOWHERE}%' OR metadata LIKE '%{NOWHERE}%'"
    page = f"SELECT max(length(data)) FROM (SELECT * FROM events ORDER BY position LIMIT 200 OFFSET {count - 300})"
    cases = [
        ("read position, stream, version, type, time of all events", scan, "index", "index of all events",
         "ours keeps them as an index in memory, the shell adds them up"),
        ("all streams with their number of events, sorted", group, "browse", "streams by number",
         "ours is asked of the index"),
        ("a text in all payloads", like, "search", "search all payloads", ""),
        ("200 rows near the end", page, "browse", f"page of 200 at the end", "the shell by OFFSET"),
    ]
    for what, sql, group_of, line, note in cases:
        theirs, ours = in_turns(
            lambda sql=sql: shell(store, sql),
            lambda group_of=group_of, line=line: figure(timeglass, store, group_of, line),
        )
        table.add(what, "sqlite3 shell", theirs, ours, note)


def python_eventsourcing(table, timeglass, folder):
    what = f"load an aggregate of {EVENTS} events"
    try:
        import eventsourcing  # noqa: F401
    except ImportError:
        table.add(what, "Python eventsourcing", None, None, "not installed")
        return
    path = folder / f"eventsourcing-{EVENTS}.sqlite"
    script = [sys.executable, str(HERE / "aggregate.py")]
    if not path.exists():
        seconds([*script, "make", str(path), str(EVENTS)])
    aggregate = path.with_suffix(".id").read_text().strip()

    def theirs():
        _, out = seconds([*script, "load", str(path), aggregate])
        return json.loads(out)["seconds"]

    loaded, whole, ours = in_turns(
        theirs,
        lambda: seconds([*script, "load", str(path), aggregate])[0],
        lambda: seconds([timeglass, "state", str(path), "--stream", aggregate, "--json"])[0],
    )
    table.add(what + ", the whole command", "Python eventsourcing", whole, ours, "ours by the merge of all data")
    table.add(what + ", theirs without the program's start", "Python eventsourcing", loaded, ours)


def node(table, timeglass, store, folder):
    what = "the longest stream through a JavaScript reducer"
    if not shutil.which("node"):
        table.add(what, "Node", None, None, "not installed")
        return
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
        stream = connection.execute(
            "SELECT stream FROM events GROUP BY stream ORDER BY count(*) DESC LIMIT 1").fetchone()[0]
    reducer, events = str(HERE / "account.js"), folder / "stream.ndjson"
    export = [timeglass, "events", store, "--stream", stream, "--ndjson"]

    def by_node():
        start = time.perf_counter()
        with open(events, "wb") as out:
            subprocess.run(export, stdout=out, check=True)
        subprocess.run(["node", str(HERE / "fold.mjs"), reducer, str(events)], stdout=subprocess.PIPE, check=True)
        return time.perf_counter() - start

    def bare():
        _, out = seconds(["node", str(HERE / "fold.mjs"), reducer, str(events)])
        return json.loads(out)["seconds"]

    state = [timeglass, "state", store, "--stream", stream, "--reducer", reducer, "--json"]
    whole, loop, ours, fold = in_turns(
        by_node,
        bare,
        lambda: seconds(state)[0],
        lambda: figure(timeglass, store, "fold", "fold the longest stream", "--reducer", reducer),
    )
    theirs = json.loads(seconds(["node", str(HERE / "fold.mjs"), reducer, str(events)])[1])["state"]
    own = json.loads(seconds(state)[1])["state"]
    same = "same state" if theirs == own else "THE STATES DIFFER"
    table.add(what + ", the whole question", "Node", whole, ours, f"Node reads what is exported first; {same}")
    table.add(what + ", the loop alone", "Node", loop, fold, "ours keeps states to seek by, and who changed what")


def projection_runtime(table):
    script = os.environ.get("PEER")
    libc = " ".join(platform.libc_ver())
    if not script:
        note = f"not run: its package needs glibc 2.38 (here {libc}), and PEER names no script; its recorded figures are in this README"
        table.add("projections in JavaScript", "its own runtime", None, None, note)
        return
    for name in ("counter", "orders"):
        taken, _ = seconds(["node", script, "--one", name, "feed"])
        table.add(f"projection {name}", "its own runtime", [taken], None, "ours: cargo bench --bench javascript")


def main():
    timeglass, store, folder = (str(Path(argument).resolve()) for argument in sys.argv[1:4])
    table = Table()
    sqlite_shell(table, timeglass, store)
    python_eventsourcing(table, timeglass, Path(folder))
    node(table, timeglass, store, Path(folder))
    projection_runtime(table)
    print(table.text())
    if "--write" in sys.argv:
        readme = HERE.parent / "README.md"
        text = readme.read_text()
        part = f"{BEGIN}\n\n{table.text()}\n{END}"
        if BEGIN in text and END in text:
            text = text.split(BEGIN)[0] + part + text.split(END)[1]
        else:
            text = f"{text.rstrip()}\n\n## Peers\n\n{part}\n"
        readme.write_text(text)


main()
