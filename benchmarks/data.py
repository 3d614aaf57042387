"""
Real road data from packages that anyone can download, checked and unpacked into a folder outside of the project.

Nothing of it is installed or committed: the ordinary clients of the registries fetch each package once, the one file
that is wanted is taken out and must have the sha256 written down here.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

CACHE = Path.home() / ".cache" / "citygeo-benchmarks"


class Source(NamedTuple):
    """A file inside a package: from where, and what it must be."""

    client: str  # pip-source, pip-wheel or npm
    package: str
    member: str
    sha256: str
    licence: str


SOURCES = {
    "iceland": Source(
        "pip-source",
        "gostnets==1.2.1",
        "gostnets-1.2.1/docs/tutorials/tutorial_data/iceland-latest.osm.pbf",
        "19fe59138659d032300d3abfc2018bd90582cac03fbe3984ee75209479fe9af6",
        "© OpenStreetMap contributors, ODbL 1.0",
    ),
    "wuhan": Source(
        "pip-source",
        "neatnet==0.1.6",
        "neatnet-0.1.6/data/wuhan_8989/original.parquet",
        "aeadb891a146320d617de30b7df552818b200e9372cfeaf50535300b8bd8d244",
        "© OpenStreetMap contributors, ODbL 1.0",
    ),
    "burundi-people": Source(
        "pip-source",
        "gridfinder==3.1.2",
        "gridfinder-3.1.2/tests/data/pop.tif",
        "1185a9f3214f86961294804aaaf0b236023a3741274916f998637f4511c0ab7b",
        "GHS-POP, European Commission, JRC, CC BY 4.0",
    ),
    "burundi-roads": Source(
        "pip-source",
        "gridfinder==3.1.2",
        "gridfinder-3.1.2/tests/data/roads.geojson",
        "6b2bd5a6837e9bcdb34173b02b2ed542021fa3abf625060fc48f0c1c4841d628",
        "© OpenStreetMap contributors, ODbL 1.0",
    ),
    "burundi-outline": Source(
        "pip-source",
        "gridfinder==3.1.2",
        "gridfinder-3.1.2/tests/data/aoi.geojson",
        "947ae80ae74709d2fbf81b62e1dbc3778de8a451aa3abf55141c92a94d8bc921",
        "GADM, of the gridfinder package (MIT)",
    ),
    "world": Source(
        "pip-wheel",
        "scgraph_data==2.0.0",
        "scgraph_data/world_highways.py",
        "91c582eae485fae96b4eb4eec32510bb4013ee3c337e534cd34330fa868cbacf",
        "© OpenStreetMap contributors, ODbL 1.0",
    ),
    "goteborg": Source(
        "npm",
        "geojson-path-finder@2.1.0",
        "package/test/large-network.json",
        "e43f69b9b18a6b37d6a73fcb95631389be2ebae44cb3b74efc3b493d6033c1e4",
        "© OpenStreetMap contributors, ODbL 1.0",
    ),
}


def sha256(path: Path) -> str:
    """Hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(name: str, cache: Path) -> Path:
    """
    Return the file of a source, downloading it the first time.

    The hash is checked when the file arrives, not again on later runs.
    """
    source = SOURCES[name]
    path = cache / "sources" / f"{name}{Path(source.member).suffix}"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        archive = _download(source, Path(folder))
        part = Path(folder) / "part"
        _take_out(archive, source.member, part)
        found = sha256(part)
        if found != source.sha256:
            raise SystemExit(f"{source.package}: {source.member} has sha256 {found}, not {source.sha256}")
        part.replace(path)
    return path


def _download(source: Source, folder: Path) -> Path:
    """Fetch the package itself, without what it depends on."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--no-deps"]
    kind = "--only-binary" if source.client == "pip-wheel" else "--no-binary"
    command = {
        "npm": ["npm", "pack", "--silent", source.package],
    }.get(source.client, [*pip, kind, ":all:", "-d", str(folder), source.package])
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    (archive,) = (path for path in folder.iterdir() if path.suffix in {".gz", ".tgz", ".whl"})
    return archive


def _take_out(archive: Path, member: str, to: Path) -> None:
    """Unpack one file of an archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as packed, packed.open(member) as file, to.open("wb") as out:
            shutil.copyfileobj(file, out)
        return
    with tarfile.open(archive) as packed:
        file = packed.extractfile(member)
        if file is None:
            raise SystemExit(f"{archive.name} has no file {member}")
        with file, to.open("wb") as out:
            shutil.copyfileobj(file, out)
