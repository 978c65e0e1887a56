"""Cut every write of every command, and kill commands at random: nothing may be lost.

python -m tests.kill [--kills 1000] [--only ingest,train] [--seed 0]
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.kill.harness import cut_every_write, kill_at_random


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000, help="random kills (default 1000)")
    parser.add_argument("--only", help="cut the writes of these commands alone")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    options = parser.parse_args()
    only = options.only.split(",") if options.only else None
    with tempfile.TemporaryDirectory() as folder:
        cuts = cut_every_write(Path(folder), print, only)
        print(f"{cuts.tried} writes cut, {len(cuts.lost)} stores lost", flush=True)
        kills = kill_at_random(Path(folder), options.kills, print, options.seed)
        print(f"{kills.cut} kills, {len(kills.lost)} stores lost", flush=True)
    sys.exit(bool(cuts.lost or kills.lost))


if __name__ == "__main__":
    main()
