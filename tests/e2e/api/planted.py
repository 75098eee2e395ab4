#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets where they must not be, in plain and as hexadecimal and base64 have them.

usage: planted.py CATALOG DIRECTORY PLANT KEY TOKEN...
PLANT: what every CHAP secret begins with. KEY: a file of PEM. In the catalog the table auth alone
may have CHAP secrets, and must: what is not there was not looked for. Exit 0: nothing was found.
"""
import base64
import os
import sqlite3
import sys


def forms(secret):
    """As it may be written; base64 has three, by where in its triple of bytes it begins."""
    found = {secret.lower(), secret.hex().encode()}
    for skip in range(3):
        text = base64.b64encode(b"\0" * skip + secret)
        found.add(text[4 if skip else 0:len(text) // 4 * 4 - 4].lower())
    return {f for f in found if len(f) >= 8}


def needles(plant, key, tokens):
    wanted = {"a CHAP secret": forms(plant.encode())}
    with open(key, encoding="ascii") as pem:
        lines = [line.strip() for line in pem if not line.startswith("-----")]
    wanted["the TLS key"] = {line.encode().lower() for line in lines if len(line) > 40}
    for line in lines:
        wanted["the TLS key"].add(base64.b64decode(line).hex().encode())
    for token in tokens:
        wanted[f"the token {token[:10]}..."] = forms(token.encode()) | {token[-30:].encode().lower()}
    return wanted


def rows(catalog):
    """Of each table, as (its name, one long text)."""
    db = sqlite3.connect(f"file:{catalog}?mode=ro", uri=True)
    db.text_factory = bytes
    names = [n.decode() for (n,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for name in names:
        fields = [field for row in db.execute(f'SELECT * FROM "{name}"') for field in row]
        yield name, b"\n".join(f if isinstance(f, bytes) else str(f).encode() for f in fields)


def main():
    catalog, directory, plant, key = sys.argv[1:5]
    wanted = needles(plant, key, sys.argv[5:])
    places = [(f"the table {name}", text) for name, text in rows(catalog)]
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as file:
            places.append((f"what was heard: {name}", file.read()))
    told = kept = 0
    for place, text in places:
        text = text.lower()
        for what, texts in wanted.items():
            hits = [at for at in (text.find(t) for t in texts) if at >= 0]
            if hits and place == "the table auth" and what == "a CHAP secret":
                kept += text.count(plant.lower().encode())
            elif hits:
                told += 1
                print(f"{what} is in {place}: {text[max(0, hits[0] - 200):hits[0] + 60]!r}")
    heard = sum(len(text) for _, text in places)
    print(f"{kept} secrets kept, {told} told, in {heard} bytes of {len(places)} places")
    return 0 if told == 0 and kept >= 10 else 1


if __name__ == "__main__":
    sys.exit(main())
