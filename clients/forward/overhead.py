#!/usr/bin/env python3
"""What the check costs: requests through nginx that asks grantd first, next to the same nginx that asks nobody.

    overhead.py [--pairs N] [--requests N]

Both in turn, A B B A ..., on one kept connection each; a figure is the median of the pairs' ratios of median times.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import Server, Temp  # noqa: E402
from proxies import Nginx, Stub  # noqa: E402

HOST = {"Host": "shop.example"}


def median_time(client, requests: int) -> float:
    times = []
    for _ in range(requests):
        start = time.perf_counter()
        assert client.get("/orders/7", headers=HOST).status == 200
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--requests", type=int, default=400)
    options = parser.parse_args()
    with Temp("overhead") as work, Server(work, "overhead") as server, Stub() as stub:
        api = server.client()
        key = api.post("/api/v1/keys", {"name": "machine", "grants": []}).ok().json()
        write = {"resource": "url:/shop.example/orders/", "relation": "read", "subject": f"api_key:{key['id']}"}
        api.post("/api/v1/relationships", {"write": [write]}).ok()
        with Nginx(work / "asks", server.port, stub.port) as asks:
            with Nginx(work / "alone", server.port, stub.port, guarded=False) as alone:
                pair = asks.client(key=key["key"]), alone.client(key=key["key"])
                ratios, extra = [], []
                for number in range(options.pairs):
                    order = pair if number % 2 else pair[::-1]
                    took = {client: median_time(client, options.requests) for client in order}
                    ratios.append(took[pair[0]] / took[pair[1]])
                    extra.append((took[pair[0]] - took[pair[1]]) * 1e6)
    ratios.sort()
    print(
        f"a request that is asked about takes {statistics.median(ratios):.2f} times as long as one that is not "
        f"[{ratios[len(ratios) // 8]:.2f}, {ratios[-1 - len(ratios) // 8]:.2f}], {statistics.median(extra):.0f} us more"
    )


if __name__ == "__main__":
    main()
