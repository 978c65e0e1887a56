"""How many workers one coordinator feeds: a simulation from what a stock costs each of them.

    python -m tests.bench.queue --coordinator-ms 2 --fit-ms 50 [--stocks 20000]

One server and N workers in a closed queue (machine repair, Palm 1947): a worker that is idle waits
for the coordinator, which sends it a chunk, or takes what another one has done, one thing at a
time. Each worker has one chunk more waiting for it, as in a pass. The cost of a fit varies as it
does in real passes, by a fifth. Below N = fit / coordinator the workers set the pace, above it the
coordinator does.
"""

import argparse
import heapq
import random

_CHUNK, _AHEAD = 16, 2
_SPREAD = 0.2
_WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--coordinator-ms", type=float, required=True, help="per stock")
    parser.add_argument("--fit-ms", type=float, required=True, help="per stock")
    parser.add_argument("--stocks", type=int, default=20_000)
    options = parser.parse_args()
    print(f"{'workers':>8} {'stocks/s':>10} {'of ideal':>9}")
    for workers in _WORKERS:
        seconds = simulate(
            workers, options.stocks, options.coordinator_ms / 1000, options.fit_ms / 1000
        )
        rate = options.stocks / seconds
        ideal = workers / (options.fit_ms / 1000)
        print(f"{workers:>8} {rate:>10.0f} {rate / ideal:>9.0%}")
    print(f"one coordinator feeds {options.fit_ms / options.coordinator_ms:.0f} workers")


def simulate(n_workers, n_stocks, per_stock_s, fit_s, seed=0):
    """Seconds of a pass: half of the coordinator's cost is to send a stock, half to take it."""
    noise = random.Random(seed)
    chunks = max(1, n_stocks // _CHUNK)
    half = _CHUNK * per_stock_s / 2
    clock, sent, taken = 0.0, 0, 0
    free_at = [0.0] * n_workers  # when each worker has done all that it was sent
    in_work = [0] * n_workers
    done = []  # heap of (when, worker)
    while taken < chunks:
        # What is done is taken back first: a pass sends only where there is room.
        if done and done[0][0] <= clock:
            _, worker = heapq.heappop(done)
            in_work[worker] -= 1
            taken += 1
            clock += half
            continue
        worker = min(range(n_workers), key=in_work.__getitem__)
        if sent < chunks and in_work[worker] < _AHEAD:
            clock += half
            took = _CHUNK * fit_s * max(0.1, noise.gauss(1.0, _SPREAD / _CHUNK**0.5))
            free_at[worker] = max(free_at[worker], clock) + took
            heapq.heappush(done, (free_at[worker], worker))
            in_work[worker] += 1
            sent += 1
            continue
        clock = max(clock, done[0][0])
    return clock


if __name__ == "__main__":
    main()
