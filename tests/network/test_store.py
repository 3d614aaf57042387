"""Saved networks: the same bytes again, mapped not read, damage told, old store kept."""

from __future__ import annotations

import json
import mmap
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest

from citygeo.errors import FileError, FileFormatError
from citygeo.network import RoadNetwork
from citygeo.provenance import sha256_file
from tests.toy import ONEWAY, STREET, grid_city, network

NODES = {1: (0, 0), 2: (1000, 0), 3: (1000, 500)}
WAYS = [
    ((1, 2), {**STREET, "name": "Æðargata 路"}),
    ((2, 3), ONEWAY),
    ((1, 3), {**STREET, "maxspeed": "quick"}),
]


@pytest.fixture
def net():
    return network(NODES, WAYS)


@pytest.fixture
def folder(net, tmp_path):
    return net.save(tmp_path / "city.net")


def content(folder):
    return {item.name: item.read_bytes() for item in sorted(folder.iterdir())}


def test_save_load_save_gives_the_same_bytes(net, folder, tmp_path):
    loaded = RoadNetwork.load(folder)
    assert content(loaded.save(tmp_path / "again.net")) == content(folder)
    assert content(net.save(tmp_path / "third.net")) == content(folder)


def test_loaded_network_is_the_saved_one(net, folder):
    loaded = RoadNetwork.load(str(folder), verify=True)
    assert loaded.arrays.keys() == net.arrays.keys()
    for name, array in net.arrays.items():
        np.testing.assert_array_equal(loaded.arrays[name], array)
        assert loaded.arrays[name].dtype == array.dtype
    assert (loaded.mode, loaded.source, loaded.log) == (net.mode, net.source, net.log)
    assert loaded.log.table()["code"].tolist() == ["CG-NET-031"]
    assert repr(loaded) == repr(net)
    assert "Æðargata 路" in loaded.words


def test_arrays_are_mapped_from_the_files_and_read_only(folder):
    for name, array in RoadNetwork.load(folder).arrays.items():
        if not array.size:  # nothing of no bytes can be mapped
            continue
        base = array
        while isinstance(base.base, np.ndarray):
            base = base.base
        assert isinstance(base.base, mmap.mmap), name
        assert not array.flags.writeable
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


def test_two_processes_share_one_store(folder):
    mine = RoadNetwork.load(folder)
    script = (
        "import sys; from citygeo.network import RoadNetwork as R; n = R.load(sys.argv[1]);"
        "print(int(n.arrays['edge_along_ms'].sum()), n.report().table['value']['edges'])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [str(int(mine.arrays["edge_along_ms"].sum())), "3.0"]
    assert RoadNetwork.load(folder, verify=True).n_edges == 3


def test_replacing_a_store_leaves_the_loaded_one_intact(folder):
    loaded = RoadNetwork.load(folder)
    before = {name: array.copy() for name, array in loaded.arrays.items()}
    grid_city(3).save(folder)
    assert RoadNetwork.load(folder, verify=True).n_edges > 3
    for name, array in before.items():
        np.testing.assert_array_equal(loaded.arrays[name], array)
    loaded.save(folder)  # a mapped network may replace its own folder
    assert RoadNetwork.load(folder, verify=True).n_edges == 3
    assert [item.name for item in folder.parent.iterdir()] == ["city.net"]


def edit(folder, change):
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def cut(folder, keep):
    file = folder / "edge_along_ms.npy"
    file.write_bytes(file.read_bytes()[:keep])


class Trap:
    """Says so if anyone unpickles it."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


def put_pickle(folder):
    (folder / "edge_along_ms.npy").write_bytes(pickle.dumps(Trap()))


def put_object_array(folder):
    np.save(folder / "edge_along_ms.npy", np.array([Trap()] * 3, object), allow_pickle=True)


def put_npz(folder):
    with (folder / "edge_along_ms.npy").open("wb") as file:
        np.savez(file, a=np.zeros(3, np.uint32))


def put_longer(folder):
    np.save(folder / "edge_along_ms.npy", np.zeros(4, np.uint32))


def put_other_type(folder):
    np.save(folder / "edge_along_ms.npy", np.zeros(3, np.float32))


DAMAGE = {
    "no manifest": lambda f: (f / "manifest.json").unlink(),
    "empty manifest": lambda f: (f / "manifest.json").write_text(""),
    "half a manifest": lambda f: (f / "manifest.json").write_bytes((f / "manifest.json").read_bytes()[:300]),
    "manifest not text": lambda f: (f / "manifest.json").write_bytes(b"\xff\xfe{}"),
    "manifest is a list": lambda f: (f / "manifest.json").write_text("[]"),
    "manifest is a number": lambda f: (f / "manifest.json").write_text("7"),
    "other schema": lambda f: edit(f, lambda m: m.update(schema="citygeo.network/0")),
    "no schema": lambda f: edit(f, lambda m: m.pop("schema")),
    "no arrays": lambda f: edit(f, lambda m: m.pop("arrays")),
    "no mode": lambda f: edit(f, lambda m: m.pop("mode")),
    "mode without a field": lambda f: edit(f, lambda m: m["mode"].pop("oneway")),
    "mode with a field too many": lambda f: edit(f, lambda m: m["mode"].update(wings=2)),
    "mode is text": lambda f: edit(f, lambda m: m.update(mode="drive")),
    "no source": lambda f: edit(f, lambda m: m.pop("source")),
    "no issues": lambda f: edit(f, lambda m: m.pop("issues")),
    "issues of another shape": lambda f: edit(f, lambda m: m.update(issues=[{"code": "x"}])),
    "an array unlisted": lambda f: edit(f, lambda m: m["arrays"].pop("edge_along_ms")),
    "an array too many": lambda f: edit(
        f, lambda m: m["arrays"].update({"../edge": m["arrays"]["edge_along_ms"]})
    ),
    "arrays are a list": lambda f: edit(f, lambda m: m.update(arrays=[1])),
    "entry is null": lambda f: edit(f, lambda m: m["arrays"].update(edge_along_ms=None)),
    "shape is null": lambda f: edit(f, lambda m: m["arrays"]["edge_along_ms"].update(shape=None)),
    "other shape": lambda f: edit(f, lambda m: m["arrays"]["edge_along_ms"].update(shape=[4])),
    "array missing": lambda f: (f / "edge_along_ms.npy").unlink(),
    "array empty": lambda f: cut(f, 0),
    "array cut in its head": lambda f: cut(f, 40),
    "array cut in its data": lambda f: cut(f, 130),
    "array of another length": put_longer,
    "array of another type": put_other_type,
    "pickle in place of an array": put_pickle,
    "array of objects": put_object_array,
    "archive in place of an array": put_npz,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_store_is_refused(folder, damage):
    damage(folder)
    with pytest.raises(FileFormatError) as caught:
        RoadNetwork.load(folder)
    assert caught.value.code == "CG-FILE-011"
    assert caught.value.data["path"] == "city.net"


def test_changed_bytes_are_found_when_asked(folder):
    file = folder / "edge_along_ms.npy"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    RoadNetwork.load(folder)  # the sums are read on demand only
    with pytest.raises(FileFormatError) as caught:
        RoadNetwork.load(folder, verify=True)
    assert caught.value.code == "CG-FILE-011"


def test_missing_store_and_a_file_in_its_place(tmp_path):
    with pytest.raises(FileError) as caught:
        RoadNetwork.load(tmp_path / "no.net")
    assert caught.value.code == "CG-FILE-001"
    (tmp_path / "file.net").write_text("x")
    (tmp_path / "empty.net").mkdir()
    for name in ("file.net", "empty.net"):
        with pytest.raises(FileFormatError) as damaged:
            RoadNetwork.load(tmp_path / name)
        assert damaged.value.code == "CG-FILE-011"


KILLED = """
import os, sys
import numpy as np
from citygeo.network import RoadNetwork
net, left = RoadNetwork.load(sys.argv[1]).reversed(), [int(sys.argv[2])]
save, replace = np.save, os.replace
def np_save(*args, **kwargs):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), 9)
    save(*args, **kwargs)
np.save = np_save
net.save(sys.argv[1])
"""


@pytest.mark.parametrize("nth", [1, 9])
def test_killed_save_leaves_the_old_store(folder, nth):
    before = content(folder)
    run = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(nth)], check=False)
    assert run.returncode == -9
    assert content(folder) == before
    RoadNetwork.load(folder, verify=True)
    assert len(list(folder.parent.iterdir())) == 2  # the new one is half made
    grid_city(2).save(folder)  # the next save sweeps it
    assert [item.name for item in folder.parent.iterdir()] == ["city.net"]


def test_failed_save_leaves_the_old_store(folder, monkeypatch):
    before, loaded = content(folder), RoadNetwork.load(folder)

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(FileError) as caught:
        loaded.save(folder)
    assert caught.value.code == "CG-FILE-012"
    assert content(folder) == before
    assert [item.name for item in folder.parent.iterdir()] == ["city.net"]


def test_save_never_replaces_a_folder_of_another_kind(net, tmp_path):
    mine = tmp_path / "photos"
    mine.mkdir()
    (mine / "a.txt").write_text("mine")
    with pytest.raises(FileError):
        net.save(mine)
    assert (mine / "a.txt").read_text() == "mine"
    shutil.rmtree(mine)
    mine.mkdir()
    assert RoadNetwork.load(net.save(mine)).n_edges == 3  # an empty folder may be filled


@pytest.mark.parametrize(
    ("name", "place"),
    [("edge_node", (0, 0)), ("forward_arc", (0, 0)), ("reverse_edge", 0), ("shape_start", 1)],
)
def test_numbers_that_point_past_the_end_are_refused(folder, name, place):
    """The sums fit, the content does not: without a check the kernels would read foreign memory."""
    file = folder / f"{name}.npy"
    array = np.load(file)
    array[place] = np.iinfo(np.int32).max
    np.save(file, array)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["arrays"][name]["sha256"] = sha256_file(file)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(FileFormatError, match=f"CG-FILE-011.*{name.split('_')[0]}"):
        RoadNetwork.load(folder, verify=True)
