"""An aggregate of many events in the store of Python's `eventsourcing`: made, or loaded and timed."""

import json
import os
import sys
import time
from pathlib import Path
from uuid import UUID

ACTION, FILE, WHICH = sys.argv[1:4]
os.environ["PERSISTENCE_MODULE"] = "eventsourcing.sqlite"
os.environ["SQLITE_DBNAME"] = FILE

from eventsourcing.application import Application  # noqa: E402
from eventsourcing.domain import Aggregate, event  # noqa: E402


class Account(Aggregate):
    @event("Opened")
    def __init__(self, owner):
        self.owner = owner
        self.balance_cents = 0
        self.entries = 0

    @event("Entered")
    def enter(self, kind, amount_cents, purpose):
        self.balance_cents += amount_cents
        self.entries += 1
        self.last_entry = {"kind": kind, "amount_cents": amount_cents, "purpose": purpose}


app = Application()
if ACTION == "make":
    account = Account(owner="Ελένη")
    for number in range(int(WHICH) - 1):
        account.enter(kind="deposit", amount_cents=number % 4_000 * 25, purpose="книги")
    app.save(account)
    Path(FILE).with_suffix(".id").write_text(str(account.id))
else:
    start = time.perf_counter()
    account = app.repository.get(UUID(WHICH))
    print(json.dumps({"seconds": time.perf_counter() - start, "entries": account.entries}))
