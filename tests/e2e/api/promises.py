#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many clients of one API while its daemon is killed again and again: each keeps asking, with the
same Idempotency-Key, until it is answered, and holds the daemon to what it was told.

usage: promises.py SOCKET ROUNDS CLIENTS LOG -- DAEMON ARGUMENT...
It starts the daemon itself, its output to LOG, kills it -9 after a random time in each round, and
prints what was held. Exit 0: every promise was kept. Before it there is a pool p.
"""
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

PATIENCE_S = 60


class Broken(Exception):
    """A promise was not kept."""


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self.path)


class Api:
    """One client's way to the daemon. ask() answers None when the daemon was lost on the way."""

    def __init__(self, path):
        self.path = path
        self.conn = None

    def ask(self, method, path, body=None, headers=None):
        try:
            if self.conn is None:
                self.conn = Connection(self.path)
            text = None if body is None else json.dumps(body)
            given = dict(headers or {})
            if text is not None:
                given["Content-Type"] = "application/json"
            self.conn.request(method, path, text, given)
            reply = self.conn.getresponse()
            data = reply.read()
            return reply.status, dict(reply.getheaders()), json.loads(data) if data else None
        except (OSError, http.client.HTTPException):
            if self.conn is not None:
                self.conn.close()
            self.conn = None
            return None

    def insist(self, method, path, body=None, headers=None):
        """Until it is answered: the same request, byte by byte, with the same key."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            got = self.ask(method, path, body, headers)
            # A connection may be refused at the limit, and a lost one's request still be under way.
            if got is not None and got[0] != 503 and not is_under_way(got):
                return got
            time.sleep(0.01)
        raise Broken(f"{method} {path}: no answer in {PATIENCE_S} s")


def is_under_way(got):
    return got[0] == 409 and got[2].get("type") == "/problems/under-way"


class Counts:
    def __init__(self):
        self.lock = threading.Lock()
        self.made, self.gone = {}, set()
        self.increments = 0
        self.repeated = self.lost_races = self.applied = self.jobs = 0

    def add(self, name, by=1):
        with self.lock:
            setattr(self, name, getattr(self, name) + by)


class Client(threading.Thread):
    def __init__(self, no, socket_path, counts, rounds_over):
        super().__init__(name=f"client {no}")
        self.no, self.counts, self.over = no, counts, rounds_over
        self.api = Api(socket_path)
        self.random = random.Random(no)
        self.serial = 0
        self.failure = None

    def run(self):
        try:
            while not self.over.is_set():
                self.random.choice([self.create, self.create, self.increment, self.increment,
                                    self.apply, self.check])()
        except Broken as why:
            self.failure = why
        except Exception as why:  # pylint: disable=broad-except
            self.failure = repr(why)

    def key(self):
        self.serial += 1
        return {"Idempotency-Key": f"c{self.no}-{self.serial}"}

    def want(self, got, *statuses):
        if got[0] not in statuses:
            raise Broken(f"client {self.no}: {got[0]} for {statuses}: {got[2]}")
        return got

    def create(self):
        key = self.key()
        name = f"v{self.no}-{self.serial}"
        body = {"name": name, "pool": "p", "size": "1GiB"}
        first = self.want(self.api.insist("POST", "/v1/volumes", body, key), 201)
        with self.counts.lock:
            self.counts.made[name] = first[2]["id"]
        if self.random.random() < 0.3:
            again = self.want(self.api.insist("POST", "/v1/volumes", body, key), 201)
            if again[2]["id"] != first[2]["id"]:
                raise Broken(f"one key made {first[2]['id']} and {again[2]['id']}")
            self.counts.add("repeated")
            other = self.api.insist("POST", "/v1/volumes", dict(body, size="2GiB"), key)
            self.want(other, 422)
        if self.random.random() < 0.2:
            self.want(self.api.insist("DELETE", f"/v1/volumes/{name}?purge=1", None, self.key()), 204)
            with self.counts.lock:
                self.counts.gone.add(name)

    def increment(self):
        """Read, add one, write if nobody was faster: what every client counts is what there is."""
        while True:
            got = self.want(self.api.insist("GET", "/v1/volumes/counter"), 200)
            n = int(got[2]["labels"].get("n", "0"))
            headers = dict(self.key(), **{"If-Match": got[1]["ETag"]})
            got = self.want(self.api.insist("PATCH", "/v1/volumes/counter",
                                            {"labels": {"n": str(n + 1)}}, headers), 200, 412)
            if got[0] == 200:
                self.counts.add("increments")
                return
            self.counts.add("lost_races")
            if self.over.is_set():
                return

    def apply(self):
        host = f"a{self.no}"
        iqn = f"iqn.2026-01.test.promise:{self.no}"
        state = {"hosts": [{"name": host, "initiators": [iqn]}],
                 "volumes": [{"name": f"a{self.no}-{i}", "pool": "p", "size": "1GiB"} for i in (1, 2)],
                 "mappings": [{"volume": f"a{self.no}-{i}", "host": host, "lun": i} for i in (1, 2)]}
        self.want(self.api.insist("POST", "/v1/apply", state, self.key()), 200)
        for i in (1, 2):
            self.want(self.api.insist("GET", f"/v1/mappings/a{self.no}-{i}/{host}"), 200)
        done = self.want(self.api.insist("POST", "/v1/apply?dry_run=1", state), 200)
        if done[2]["changes"]:
            raise Broken(f"what was applied still differs: {done[2]['changes']}")
        for kind in state:
            state[kind] = [{**{k: v for k, v in item.items() if k in ("name", "volume", "host")},
                            "absent": True} for item in state[kind]]
        state["mappings"] = [{"volume": m["volume"], "host": host, "absent": True} for m in state["mappings"]]
        self.want(self.api.insist("POST", "/v1/apply", state, self.key()), 200)
        self.want(self.api.insist("GET", f"/v1/hosts/{host}"), 404)
        self.counts.add("applied")

    def check(self):
        got = self.want(self.api.insist("POST", "/v1/pools/p/check", None, self.key()), 202, 409)
        if got[0] == 409:
            return
        job = got[2]["id"]
        end = time.monotonic() + PATIENCE_S
        while got[2]["state"] == "running" and time.monotonic() < end:
            time.sleep(0.05)
            got = self.want(self.api.insist("GET", f"/v1/jobs/{job}"), 200)
        if got[2]["state"] != "done":
            raise Broken(f"job {job} is {got[2]['state']}: {got[2]}")
        self.counts.add("jobs")


class Daemon:
    def __init__(self, arguments, log, api):
        self.arguments, self.log, self.api = arguments, log, api
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                self.arguments, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            got = self.api.ask("GET", "/readyz")
            if got is not None and got[0] == 200:
                return
            if self.process.poll() is not None:
                raise Broken(f"the daemon ended with {self.process.returncode}")
            time.sleep(0.01)
        raise Broken("the daemon does not get ready")

    def kill(self):
        if self.process.poll() is not None:
            raise Broken(f"the daemon ended by itself with {self.process.returncode}")
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        """Whatever has come of it."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.process.terminate()
        if self.process.wait() != 0:
            raise Broken(f"the daemon stopped with {self.process.returncode}")


def pages(api, path):
    items, after = [], ""
    while True:
        got = api.ask("GET", f"{path}?limit=1000{after}")
        if got is None or got[0] != 200:
            raise Broken(f"GET {path}: {got}")
        items += got[2]["items"]
        if got[2]["next"] is None:
            return items
        after = f"&after={got[2]['next']}"


def hold_to(api, counts):
    """What there is in the end is what was promised, no more and no less."""
    volumes = {v["name"]: v["id"] for v in pages(api, "/v1/volumes") if v["name"].startswith("v")}
    wanted = {n: i for n, i in counts.made.items() if n not in counts.gone}
    if volumes != wanted:
        raise Broken(f"volumes too many {set(volumes) - set(wanted)}, missing {set(wanted) - set(volumes)}")
    counter = api.ask("GET", "/v1/volumes/counter")[2]["labels"].get("n", "0")
    if int(counter) != counts.increments:
        raise Broken(f"{counts.increments} increments were answered, the counter is at {counter}")
    made = [e for e in pages(api, "/v1/audit")
            if e["operation"] == "volume_create" and e["subject"].startswith("v")]
    if len(made) != len(counts.made):
        raise Broken(f"{len(counts.made)} volumes were made, the audit has {len(made)}")


def failure_of(clients):
    return next((c.failure for c in clients if c.failure is not None), None)


def play(daemon, rounds, clients, over):
    """Kills it again and again; what a client found broken ends it early."""
    for client in clients:
        client.start()
    try:
        for _ in range(rounds):
            time.sleep(random.uniform(0.05, 1.0))
            daemon.kill()
            daemon.start()
            if failure_of(clients) is not None:
                break
    finally:
        over.set()
        for client in clients:
            client.join()
    if failure_of(clients) is not None:
        raise Broken(failure_of(clients))


def run(socket_path, rounds, client_count, log, arguments):
    api, counts, over = Api(socket_path), Counts(), threading.Event()
    daemon = Daemon(arguments, log, api)
    try:
        daemon.start()
        api.insist("POST", "/v1/volumes", {"name": "counter", "pool": "p", "size": "1GiB"})
        clients = [Client(no, socket_path, counts, over) for no in range(client_count)]
        play(daemon, rounds, clients, over)
        hold_to(api, counts)
        daemon.stop()
    finally:
        daemon.end()
    print(f"{rounds} kills, {client_count} clients: {len(counts.made)} volumes made once each, "
          f"{counts.repeated} requests repeated, {counts.increments} increments and {counts.lost_races} "
          f"lost races, {counts.applied} documents applied, {counts.jobs} jobs ended")


def main():
    socket_path, rounds, clients, log = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    random.seed(int(os.environ.get("PROMISES_SEED", "1")))
    try:
        run(socket_path, rounds, clients, log, sys.argv[6:])
    except Broken as why:
        print(f"BROKEN: {why}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
