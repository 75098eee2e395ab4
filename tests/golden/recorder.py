#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Between an initiator and the target: passes everything on and writes the login of each connection to
DIR/001, DIR/002, ..., in the form that tests/protocol/replay.c reads. The answers that it writes are what the
target said, not what is right: someone has to read them. Usage: recorder.py LISTEN-PORT TARGET-PORT DIR.
Ends by a signal."""
import asyncio
import sys

BHS_BYTES = 48
LOGIN, LOGIN_RSP = 0x03, 0x23


async def read_pdu(reader):
    bhs = await reader.readexactly(BHS_BYTES)
    length = int.from_bytes(bhs[5:8], "big")
    data = await reader.readexactly((length + 3) // 4 * 4 + bhs[4] * 4)
    return bhs, data[bhs[4] * 4:], length


def keys(data, length):
    """The text's pairs; what cannot be written as lines and read back to the same bytes is refused."""
    text = data[:length]
    if length and not text.endswith(b"\0") or data[length:].strip(b"\0"):
        raise ValueError("text without an end, or padding that is not zero")
    return [pair.decode("ascii") for pair in text.split(b"\0")[:-1]]


def request_lines(bhs, data, length):
    words = [bhs[i:i + 4].hex() for i in range(0, BHS_BYTES, 4)]
    return ["request " + " ".join(words)] + keys(data, length)


def answer_lines(bhs, data, length):
    flags, status = bhs[1], int.from_bytes(bhs[36:38], "big")
    step = f"{flags >> 2 & 3} to {flags & 3}" if flags & 0x80 else f"{flags >> 2 & 3}"
    return [f"answer {status:04x} stage {step}"] + keys(data, length)


async def login(reader, writer, peer_reader, peer_writer):
    lines = []
    while True:
        for source, sink, lines_of, opcode in ((reader, peer_writer, request_lines, LOGIN),
                                               (peer_reader, writer, answer_lines, LOGIN_RSP)):
            bhs, data, length = await read_pdu(source)
            if bhs[0] & 0x3f != opcode:
                raise ValueError("not a login")
            sink.write(bhs + data)
            lines += lines_of(bhs, data, length)
        if bhs[1] & 0x83 == 0x83 or bhs[36]:
            return lines


async def forward(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def main(listen, target, folder):
    count = 0

    async def connection(reader, writer):
        nonlocal count
        peer_reader, peer_writer = await asyncio.open_connection("127.0.0.1", target)
        lines = await login(reader, writer, peer_reader, peer_writer)
        count += 1
        with open(f"{folder}/{count:03}", "w", encoding="ascii") as out:
            out.write("\n".join(lines) + "\n")
        await asyncio.gather(forward(reader, peer_writer), forward(peer_reader, writer))

    server = await asyncio.start_server(connection, "127.0.0.1", listen)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
