"""Writes packed-3.11.json: what Python's bz2 and lzma make of texts that compression.test.ts makes again. No server is needed."""

import base64
import bz2
import json
import lzma
import pathlib


def noise(count):
    seed, out = 1, bytearray()
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        out.append(seed >> 16 & 255)
    return bytes(out)


TEXTS = {
    "nothing": b"",
    "a body": b"[[1, 2], {}, {}]",
    "a run": b"x" * 3_000_000,
    "noise": noise(300),
    "orders": "".join(f'[["order-{i}", {i * i}], {{"amount": {i % 7}}}]\n' for i in range(400)).encode(),
}


def text(packed):
    return base64.b64encode(packed).decode()


rows = [
    {"name": name, "bzip2": text(bz2.compress(plain)), "lzma": text(lzma.compress(plain))} for name, plain in TEXTS.items()
]
pathlib.Path(__file__).with_name("packed-3.11.json").write_text(json.dumps(rows, indent=1) + "\n")
