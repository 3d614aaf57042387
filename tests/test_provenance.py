"""What a result was made from."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from citygeo import provenance
from tests.toy import points


def test_file_sum_is_that_of_its_bytes(tmp_path):
    path = tmp_path / "big.bin"
    data = np.random.default_rng(1).bytes(3_000_001)
    path.write_bytes(data)
    assert provenance.sha256_file(path) == hashlib.sha256(data).hexdigest()
    path.write_bytes(b"")
    assert provenance.sha256_file(path) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_equal_layers_have_equal_sums_and_others_do_not():
    layer = points([(0, 0), (100, 0)])
    total = provenance.sha256_layer(layer)
    assert provenance.sha256_layer(points([(0, 0), (100, 0)])) == total
    others = [
        points([(0, 0), (100, 1)]),
        points([(100, 0), (0, 0)]),
        points([(0, 0)]),
        layer.to_crs(32631),
        layer.set_axis([5, 6]),
        layer.set_geometry(gpd.GeoSeries([None, layer.geometry.iloc[1]], crs=4326)),
    ]
    sums = [provenance.sha256_layer(other) for other in others]
    assert len({total, *sums}) == len(sums) + 1


def test_values_belong_to_the_sum_too():
    # people and delays change results, so they must change the sum
    places = [(0, 0), (100, 0)]
    sums = {
        provenance.sha256_layer(layer)
        for layer in (points(places), points(places, population=[1, 2]), points(places, population=[1, 3]))
    }
    assert len(sums) == 3


def test_missing_geometry_has_a_sum():
    layer = gpd.GeoDataFrame(geometry=gpd.GeoSeries([None, shapely.Point()], crs=4326))
    assert len(provenance.sha256_layer(layer)) == 64
    assert provenance.sha256_layer(layer.geometry) != provenance.sha256_layer(layer.geometry[::-1])


def test_description_can_be_written_as_json():
    told = provenance.describe("service_area", {"network": "0" * 64}, {"minutes": [5.0], "direction": "from"})
    assert json.loads(json.dumps(told)) == told
    assert told["action"] == "service_area"
    assert told["inputs"] == {"network": "0" * 64}
    assert told["parameters"] == {"minutes": [5.0], "direction": "from"}
    assert told["attribution"] == "© OpenStreetMap contributors, ODbL 1.0"
    assert told["versions"]["numpy"] == np.__version__
    assert told["versions"]["python"].startswith("3.")
    made = datetime.fromisoformat(told["made_at"])
    assert made.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - made) < timedelta(minutes=1)


def test_package_that_is_not_there_is_told_so(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("no-such-package-here",))
    told = provenance.describe("x", {}, {})
    assert told["versions"]["no-such-package-here"] == "not installed"


def test_labels_names_and_kinds_of_values_belong_to_the_sum():
    plain = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=["p", "q"])
    others = [
        plain.rename(columns={"a": "c"}),
        plain.assign(a=[1.0, 2.0]),
        plain.assign(b=["x", "None"]),
        plain.set_axis(["p", "r"]),
        plain[["b", "a"]],
        plain.iloc[::-1],
        plain.set_index(pd.MultiIndex.from_tuples([("p", 1), ("q", 1)])),
        pd.concat([plain, plain]),
    ]
    sums = [provenance.sha256_layer(table) for table in (plain, *others)]
    assert len(set(sums)) == len(sums)
    # missing is missing, however a file's reader writes it
    assert provenance.sha256_layer(plain.assign(b=["x", np.nan])) == sums[0]


def test_the_sum_does_not_depend_on_the_machine():
    table = pd.DataFrame({"a": np.array([1, 2], ">i8"), "b": ["é", "中"]})
    same = pd.DataFrame({"a": np.array([1, 2], "<i8"), "b": ["é", "中"]})
    assert provenance.sha256_layer(table) == provenance.sha256_layer(same)
    text = b"2 ['a', 'b']"
    expected = hashlib.sha256(
        text
        + b" i "
        + np.array([0, 1], "<i8").tobytes()
        + b" i "
        + np.array([1, 2], "<i8").tobytes()
        + "é\x1f中".encode()
    )
    assert provenance.sha256_layer(table) == expected.hexdigest()
