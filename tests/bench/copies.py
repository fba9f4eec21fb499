"""Makes a store of copies of one set, an hour apart: copies.py REAL COUNT STORE.

REAL is the directory of a set. Each copy has a manifest, sums and a proof of its own; the objects are
links to those of another.
"""

import hashlib
import os
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta

real, count, store = sys.argv[1], int(sys.argv[2]), sys.argv[3]
source = os.path.dirname(os.path.dirname(real))


def read(name):
    with open(os.path.join(real, name), encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


os.makedirs(os.path.join(store, "sets"))
shutil.copy2(os.path.join(source, "store.json"), store)
for name in ("packs", "incoming"):
    shutil.copytree(os.path.join(source, name), os.path.join(store, name))

old = os.path.basename(real)
manifest = read("manifest.json")
for field in ("started_at", "finished_at"):
    manifest = re.sub(rf'("{field}": ")[^"]*', r"\1AT", manifest, count=1)
before, after = manifest.split(old, 1)
objects = "".join(
    line for line in read("SHA256SUMS").splitlines(True) if not line.endswith(" manifest.json\n")
)
names = [line.split()[1] for line in objects.splitlines()]
levels = read("proof.json").split('"levels":', 1)[1].removesuffix("}}\n")

newest = datetime.now(UTC) - timedelta(minutes=1)
for number in range(count):
    at = newest - timedelta(hours=number)
    name = f"{at:%Y%m%dT%H%M%SZ}-{number % 65536:04x}"
    path = os.path.join(store, "sets", name)
    os.mkdir(path)
    text = (before + name + after).replace('"AT"', f'"{at:%Y-%m-%dT%H:%M:%SZ}"')
    write(os.path.join(path, "manifest.json"), text)
    sums = f"{objects}{sha256(text)}  manifest.json\n"
    write(os.path.join(path, "SHA256SUMS"), sums)
    body = f'{{"set":"{name}","manifest_sha256":"{sha256(text)}","levels":{levels}}}'
    write(os.path.join(path, "proof.json"), f'{{"sha256":"{sha256(body)}","body":{body}}}\n')
    # A file can have 65,000 names on ext4.
    if number % 10000 == 0:
        linked = path
    for file in names:
        if linked == path:
            shutil.copy2(os.path.join(real, file), path)
        else:
            os.link(os.path.join(linked, file), os.path.join(path, file))
