# SPDX-License-Identifier: Apache-2.0
"""Fills a daemon by its API, then times pages of its lists (see lists.sh)."""
import argparse
import http.client
import json
import socket
import statistics
import sys
import threading
import time
import urllib.parse

CONNECTIONS = 16
BOUND_MS = 10.0


class Api:
    """One connection to the daemon's Unix socket."""

    def __init__(self, path):
        self.connection = http.client.HTTPConnection("localhost")
        self.connection.sock = socket.socket(socket.AF_UNIX)
        self.connection.sock.connect(path)

    def ask(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        self.connection.request(method, path, text, headers)
        reply = self.connection.getresponse()
        got = reply.read()
        if reply.status >= 300:
            raise SystemExit(f"{method} {path}: {reply.status} {got[:300]}")
        return got


def fill(socket_path, requests):
    """Sends all of them, over several connections at a time."""

    def work(first):
        api = Api(socket_path)
        for request in requests[first::CONNECTIONS]:
            api.ask(*request)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def things(count, pool_file):
    """What to make, in an order that works."""
    some, few = max(count // 5, 1), max(count // 20, 1)
    size = 64 << 20
    yield [("POST", "/v1/pools", {"name": "lists", "devices": [{"path": pool_file, "size": "1GiB"}]})]
    yield [
        ("POST", "/v1/volumes", {
            "name": f"bench{i * 7919 % count:05}", "pool": "lists", "size": size + (i * 31 % 97 << 20),
            "labels": {"env": "prod" if i % 3 else "test"}})
        for i in range(count)]
    yield [("POST", "/v1/volumes", {"name": f"gone{i:05}", "pool": "lists", "size": size}) for i in range(few)]
    yield [("DELETE", f"/v1/volumes/gone{i:05}") for i in range(few)]
    yield [("POST", "/v1/snapshots", {"volume": f"bench{i:05}", "name": "monday"}) for i in range(some)]
    yield [
        ("POST", "/v1/hosts", {"name": f"host{i:05}", "initiators": [f"iqn.2026-01.test.lists:{i}"]})
        for i in range(few)]
    yield [
        ("POST", "/v1/mappings", {"volume": f"bench{i:05}", "host": f"host{i % few:05}"})
        for i in range(some)]
    yield [("POST", "/v1/tokens", {"name": f"token{i}"}) for i in range(20)]


QUERIES = (
    ("volumes", ("", "sort=-created", "sort=size,-name", "filter=name~*0", "filter=labels.env=test&sort=name",
                 "filter=name=none", "fields=name,size")),
    ("snapshots", ("", "sort=-created", "filter=volume~*1", "volume=bench00000")),
    ("trash", ("", "sort=name", "filter=name~*0")),
    ("hosts", ("", "sort=-name", "filter=mapping_count>0", "fields=name")),
    ("mappings", ("", "sort=volume", "filter=lun=1", "fields=volume,host,lun")),
    ("tokens", ("", "sort=-name")),
    ("pools", ("", "sort=-size")),
    ("sessions", ("",)),
    ("drains", ("",)),
    ("initiators/seen", ("",)),
)


def pages(api, path):
    """How long each page of the list takes, in milliseconds, up to 20 of them."""
    after = ""
    for _ in range(20):
        begin = time.perf_counter()
        got = api.ask("GET", path + after)
        yield (time.perf_counter() - begin) * 1000
        next_page = json.loads(got)["next"]
        if next_page is None:
            return
        after = "&after=" + next_page


class Waiter(threading.Thread):
    """Asks for something short all the time: the worst wait is what a list costs others."""

    def __init__(self, socket_path):
        super().__init__(daemon=True)
        self.api = Api(socket_path)
        self.waits = []
        self.stop = False

    def run(self):
        while not self.stop:
            begin = time.perf_counter()
            self.api.ask("GET", "/healthz")
            self.waits.append((time.perf_counter() - begin) * 1000)
            time.sleep(0.001)


def measure(socket_path, rounds, limit):
    """Prints each. The worst list's median; the worst page, of which each counts as its median over the rounds,
    so that a stall of the machine is none of the page; the worst of all that was seen."""
    api = Api(socket_path)
    median = worst = single = 0.0
    for collection, queries in QUERIES:
        for query in queries:
            asked = urllib.parse.quote(query, safe="=&,")
            path = f"/v1/{collection}?limit={limit}&{asked}".rstrip("&")
            asked_often = [list(pages(api, path)) for _ in range(rounds)]
            each = [statistics.median(times) for times in zip(*asked_often)]
            mark = "" if max(each) <= BOUND_MS else "  over"
            print(f"{collection:16}{query:34}{limit:6}{statistics.median(each):9.2f}{max(each):9.2f}"
                  f"{BOUND_MS:8.1f}{mark}", flush=True)
            median, worst = max(median, statistics.median(each)), max(worst, max(each))
            single = max(single, max(max(times) for times in asked_often))
    return median, worst, single


def judge(claim, figure):
    verdict = "PASS" if figure <= BOUND_MS else "FAIL"
    print(f"| {claim} | {figure:.2f} ms | <= {BOUND_MS:.0f} ms | {verdict} |")
    return verdict == "PASS"


def others(socket_path, rounds):
    """How long they wait while lists are asked for: in the median, and at worst."""
    waiter = Waiter(socket_path)
    waiter.start()
    api = Api(socket_path)
    for _ in range(rounds):
        for query in ("sort=-created", "filter=name=none", "sort=size&filter=labels.env=prod"):
            api.ask("GET", f"/v1/volumes?limit=1000&{query}")
    waiter.stop = True
    waiter.join()
    return statistics.median(waiter.waits), max(waiter.waits)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True)
    parser.add_argument("--pool-file", required=True)
    parser.add_argument("--volumes", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--judge", action="store_true")
    args = parser.parse_args()
    out = sys.stdout
    if args.judge:
        sys.stdout = sys.stderr  # the rows alone are told there
    begin = time.perf_counter()
    for requests in things(args.volumes, args.pool_file):
        fill(args.socket, requests)
    print(f"filled in {time.perf_counter() - begin:.1f} s: {args.volumes} volumes")
    print(f"{'list':16}{'query':34}{'limit':>6}{'median':>9}{'worst':>9}{'bound':>8}  (ms)")
    short = measure(args.socket, args.rounds, 100)
    long = measure(args.socket, args.rounds, 1000)
    meanwhile = others(args.socket, args.rounds)
    print(f"others meanwhile: median {meanwhile[0]:.2f} ms, worst {meanwhile[1]:.2f} ms")
    if not args.judge:
        return 0
    sys.stdout = out
    verdicts = [judge(f"the worst page of 100 rows of any list, {args.volumes} volumes", short[1]),
                judge("the same, of 1,000 rows", long[1]),
                judge("the worst list's pages, in the median", max(short[0], long[0]))]
    print(f"| the slowest of all answers, of 100 and of 1,000 rows | {short[2]:.2f} and {long[2]:.2f} ms | - | - |")
    print(f"| others meanwhile, median and worst | {meanwhile[0]:.2f} and {meanwhile[1]:.2f} ms | - | - |")
    return 0 if all(verdicts) else 1


sys.exit(main())
