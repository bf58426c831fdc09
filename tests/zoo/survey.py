"""Which primitives occur in the zoo, where, and which of them the table does not know.

Run as `PYTHONPATH=tests python -m zoo.survey [NAME …]`.
"""

import collections
import sys
import time

import openbook  # noqa: F401  (chooses the backend)
from openbook.program.primitives.table import primitives
from zoo import ENTRIES
from zoo.readings import kinds, made

CONTROL = ("scan", "while", "cond")


def main(names):
    known = primitives()
    where = collections.defaultdict(collections.Counter)
    for entry in ENTRIES:
        if names and entry.name not in names:
            continue
        began = time.perf_counter()
        try:
            ready = made(entry)
            for kind in kinds(entry):
                for step in ready.trace(kind).program.all_steps():
                    where[step.primitive][f"{entry.name}:{kind}"] += 1
        except Exception as error:  # noqa: BLE001 - a survey goes on
            print(f"# FAILED {entry.name}: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
        print(f"# {entry.name} {time.perf_counter() - began:.1f}s", file=sys.stderr, flush=True)
    for name in sorted(where, key=lambda name: (name in known or name in CONTROL, name)):
        mark = "ok     " if name in known or name in CONTROL else "MISSING"
        places = where[name]
        some = ", ".join(list(places)[:4])
        print(f"{mark} {name:28} {sum(places.values()):6} uses in {len(places):3} readings: {some}")


if __name__ == "__main__":
    main(sys.argv[1:])
