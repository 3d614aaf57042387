"""Rasters of people are read whole and as they are, or refused with a code and a place."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from citygeo.errors import CitygeoError
from citygeo.io import pixels
from citygeo.io.pixels import Raster, Window, describe
from tests.rasters import write_raster

PACKINGS = {
    "strips": {},
    "tiles": {"tiled": True, "blockxsize": 16, "blockysize": 32},
    "packed strips": {"compress": "deflate", "predictor": 2},
    "packed tiles": {"compress": "lzw", "tiled": True, "blockxsize": 16, "blockysize": 16},
    "64-bit offsets": {"BIGTIFF": "YES"},
    "big endian": {"ENDIANNESS": "BIG"},
}
PLAIN = {"dtype": "float32", "crs": 4326, "transform": rasterio.Affine(1, 0, 0, 0, -1, 50)}


def whole(raster):
    return Window(0, 0, raster.rows, raster.columns)


def assembled(raster):
    """The raster, put together from its windows."""
    found = np.full((raster.rows, raster.columns), -1.0)
    for window in raster.windows():
        part = found[window.row :, window.column :][: window.rows, : window.columns]
        part[:] = raster.read(window)
    return found


def code_of(path, **options):
    with pytest.raises(CitygeoError) as caught:
        describe(path, **options)
    assert caught.value.zh
    return caught.value.code


def made(rows, columns, block):
    return Raster("", rows, columns, None, None, None, 1, block, 1.0, 0.0, False)


# --- what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_numbers_are_those_of_the_file(tmp_path, packing, dtype, monkeypatch):
    monkeypatch.setattr(pixels, "WINDOW_PIXELS", 700)
    monkeypatch.setattr(pixels, "TILED_COLUMNS", 32)
    values = np.random.default_rng(1).integers(0, 250, (110, 90)).astype(dtype)
    raster = describe(write_raster(tmp_path / "a.tif", values, **PACKINGS[packing]))
    assert len(raster.windows()) > 1
    assert np.array_equal(assembled(raster), values)


@given(
    st.integers(1, 9000), st.integers(1, 9000),
    st.tuples(st.integers(1, 300), st.integers(1, 9000)) | st.sampled_from([(256, 256), (1, 1), (9000, 9000)]),
)  # fmt: skip
def test_windows_hold_each_pixel_once_and_whole_blocks(rows, columns, block):
    block = min(block[0], rows), min(block[1], columns)
    windows = made(rows, columns, block).windows()
    assert sum(window.rows * window.columns for window in windows) == rows * columns
    corners = {(window.row, window.column) for window in windows}
    assert len(corners) == len(windows)
    for window in windows:
        ends = window.row + window.rows, window.column + window.columns
        assert window.row % block[0] == window.column % block[1] == 0
        assert ends[0] == rows or ends[0] % block[0] == 0
        assert ends[1] == columns or ends[1] % block[1] == 0
        assert ends[0] == rows or (ends[0], window.column) in corners
        assert ends[1] == columns or (window.row, ends[1]) in corners
        assert window.rows * window.columns <= max(pixels.WINDOW_PIXELS, block[0] * block[1])


def test_box_of_a_window_has_west_before_east_and_south_before_north(tmp_path):
    for east, south in ((2.0, 3.0), (-2.0, 3.0), (2.0, -3.0)):
        path = write_raster(tmp_path / "a.tif", np.ones((4, 5)), west=10, north=20, size=(east, south))
        west, low, right, north = describe(path).box(Window(1, 2, 2, 3))
        assert (west, right) == tuple(sorted((10 + 2 * east, 10 + 5 * east)))
        assert (low, north) == tuple(sorted((20 - south, 20 - 3 * south)))


def test_scale_and_offset_are_applied_but_not_to_nodata(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.array([[1, 2], [255, 0]], np.uint8), nodata=255)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = [0.5], [10.0]
    raster = describe(path)
    assert np.array_equal(raster.read(whole(raster)), [[10.5, 11.0], [np.nan, 10.0]], equal_nan=True)
    assert np.isnan(raster.empty)
    assert raster.nodata == 255


def test_a_scaled_number_that_is_like_nodata_is_a_number(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.array([[51, 255], [3, 1]], np.uint8), nodata=255)
    with rasterio.open(path, "r+") as file:
        file.scales = [5.0]
    raster = describe(path)
    assert np.array_equal(raster.read(whole(raster)), [[255, np.nan], [15, 5]], equal_nan=True)
    assert not (raster.read(whole(raster)) == raster.empty).any()


def test_mask_in_the_file_counts_as_no_data(tmp_path):
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = write_raster(tmp_path / "a.tif", np.ones((2, 2), np.float32))
        with rasterio.open(path, "r+") as file:
            file.write_mask(np.array([[True, False], [True, True]]))
    raster = describe(path)
    assert np.array_equal(raster.read(whole(raster)), [[1, np.nan], [1, 1]], equal_nan=True)


def test_nodata_is_the_number_that_32_bits_hold(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.array([[-99999.9, 1]], np.float32))
    assert describe(path).nodata is None
    raster = describe(path, nodata=-99999.9)
    assert (raster.read(whole(raster)) == raster.nodata).tolist() == [[True, False]]


@pytest.mark.parametrize("suffix", [".aux.xml", ".msk", ".ovr"])
def test_files_beside_it_change_nothing(tmp_path, suffix):
    values = np.arange(1.0, 5.0, dtype=np.float32).reshape(2, 2)
    path = write_raster(tmp_path / "a.tif", values)
    before = describe(path)
    beside = path.with_name(path.name + suffix)
    if suffix == ".aux.xml":
        beside.write_text(
            '<PAMDataset><SRS>EPSG:3857</SRS><GeoTransform>0,9,0,0,0,-9</GeoTransform><PAMRasterBand band="1">'
            "<NoDataValue>4</NoDataValue><Scale>7</Scale></PAMRasterBand></PAMDataset>"
        )
    else:
        write_raster(beside, np.zeros((2, 2), np.uint8), driver="GTiff")
    assert describe(path) == before
    assert before.read(whole(before)).tolist() == values.tolist()
    with rasterio.open(path) as file:  # that the test can fail
        assert suffix != ".aux.xml" or (file.nodata, file.scales) == (4, (7,))


def test_many_threads_read_at_a_time(tmp_path):
    values = np.random.default_rng(2).random((300, 200)).astype(np.float32)
    raster = describe(write_raster(tmp_path / "a.tif", values, **PACKINGS["packed tiles"]))
    same = []

    def work():
        same.append(all(np.array_equal(raster.read(whole(raster)), values) for _ in range(5)))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert same == [True] * 8


def test_a_file_that_claims_400000_rows_costs_no_memory(tmp_path):
    path = tmp_path / "a.tif"
    profile = PLAIN | {
        "width": 400_000,
        "height": 400_000,
        "count": 1,
        "transform": rasterio.Affine(1e-4, 0, 0, 0, -1e-4, 50),
    }
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        tiled=True,
        blockxsize=512,
        blockysize=512,
        SPARSE_OK=True,
        BIGTIFF="YES",
        **profile,
    ):
        pass
    raster = describe(path)
    windows = raster.windows()
    assert max(window.rows * window.columns for window in windows) <= pixels.WINDOW_PIXELS
    assert not raster.read(windows[-1]).any()


# --- what is refused ------------------------------------------------------------------------------


VRT = """<VRTDataset rasterXSize="2" rasterYSize="2"><SRS>EPSG:4326</SRS><GeoTransform>0,1,0,0,0,-1</GeoTransform>
<VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename>{path}</SourceFilename></SimpleSource>
</VRTRasterBand></VRTDataset>"""


def test_files_that_lead_elsewhere_are_refused(tmp_path):
    good = write_raster(tmp_path / "good.tif", np.ones((2, 2), np.uint8))
    path = tmp_path / "a.tif"
    path.write_text(VRT.format(path=good))
    assert code_of(path) == "CG-SEC-001"
    for remote in (
        "https://example.org/a.tif",
        f"/vsizip/{good}/a.tif",
        "/vsicurl/https://example.org/a.tif",
    ):
        assert code_of(remote) == "CG-SEC-003"
    path.write_bytes(pickle.dumps(print))
    assert code_of(path) == "CG-FILE-006"


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "a.tif"
    assert code_of(path) == "CG-FILE-001"
    for content in (b"", b"<!DOCTYPE html><html>", b"\x89PNG\r\n\x1a\n", b"II*\0", b"II*\0" + b"\xff" * 99):
        path.write_bytes(content)
        assert code_of(path) == "CG-FILE-002"
    (tmp_path / "b.tif").mkdir()
    good = write_raster(tmp_path / "good.tif", np.ones((2, 2), np.uint8))
    assert code_of(tmp_path / "b.tif") == code_of(good.rename(tmp_path / "good.img")) == "CG-FILE-002"


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("CG-RAS-001", {"crs": None}),
        ("CG-RAS-004", {"transform": rasterio.Affine(0.87, -0.5, 10, 0.5, 0.87, 50)}),
        ("CG-RAS-005", {"transform": rasterio.Affine.identity()}),
        ("CG-RAS-006", {"crs": rasterio.CRS.from_wkt('LOCAL_CS["hall",UNIT["metre",1]]')}),
        ("CG-RAS-015", {"dtype": "complex64"}),
    ],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_rasters_without_a_place_or_numbers_are_refused(tmp_path, code, change):
    path = tmp_path / "a.tif"
    with rasterio.open(path, "w", driver="GTiff", width=3, height=2, count=1, **PLAIN | change) as file:
        file.write(np.ones((2, 3), file.dtypes[0]), 1)
    assert code_of(path) == code


def test_a_block_that_is_too_large_is_refused(tmp_path, monkeypatch):
    packing = {"compress": "deflate", "tiled": True, "blockxsize": 64, "blockysize": 64}
    path = write_raster(tmp_path / "a.tif", np.ones((64, 64), np.float32), **packing)
    describe(path)
    monkeypatch.setattr(pixels, "BLOCK_PIXELS", 64 * 64 - 1)
    assert code_of(path) == "CG-RAS-010"


# --- what is damaged ------------------------------------------------------------------------------


def blocks_of(path):
    """Where each block lies in the file: row and column of the block, first byte, bytes."""
    with rasterio.open(path) as file:
        tag = {
            (row, column): [
                int(file.get_tag_item(f"BLOCK_{name}_{column}_{row}", "TIFF", bidx=1))
                for name in ("OFFSET", "SIZE")
            ]
            for (row, column), _ in file.block_windows(1)
        }
    return [(*place, *extent) for place, extent in tag.items()]


@pytest.mark.parametrize("packing", ["tiles", "packed tiles", "packed strips"])
def test_a_cut_file_is_told_with_its_place(tmp_path, packing):
    values = np.random.default_rng(3).random((64, 48)).astype(np.float32)
    profile = {name: value for name, value in PACKINGS[packing].items() if name != "predictor"}
    path = write_raster(tmp_path / "a.tif", values, **profile)
    blocks, raw = sorted(blocks_of(path), key=lambda block: block[2]), path.read_bytes()
    rows, columns = describe(path).block
    for row, column, offset, size in blocks[:: max(1, len(blocks) // 4)]:
        path.write_bytes(raw[: offset + size // 2])
        raster = describe(path)
        with pytest.raises(CitygeoError, match="CG-RAS-003") as caught:
            raster.read(whole(raster))
        assert (caught.value.data["row"], caught.value.data["column"]) == (row * rows, column * columns)
        assert f"{len(raw[: offset + size // 2]):,} bytes" in str(caught.value)


def read_or_code(path):
    try:
        raster = describe(path)
        return raster.read(raster.windows()[0])
    except CitygeoError as problem:
        return problem.code


def test_hurt_files_are_refused_with_a_code_or_read(tmp_path):
    """TIFF has no checksum of its own: a byte that is wrong in the numbers themselves cannot always be told."""
    values = np.random.default_rng(4).random((64, 48)).astype(np.float32)
    packing = {"compress": "deflate", "tiled": True, "blockxsize": 16, "blockysize": 16}
    path = write_raster(tmp_path / "a.tif", values, **packing)
    raw, rng = path.read_bytes(), np.random.default_rng(5)
    codes = []
    for _ in range(200):
        hurt = bytearray(raw)
        # half of them in the head, where the tags are
        hurt[int(rng.integers(len(raw) if rng.random() < 0.5 else 600))] ^= 1 << int(rng.integers(8))
        path.write_bytes(hurt)
        found = read_or_code(path)
        codes += [found] if isinstance(found, str) else []
    assert set(codes) <= {
        "CG-FILE-002", "CG-RAS-001", "CG-RAS-003", "CG-RAS-004", "CG-RAS-005", "CG-RAS-006", "CG-RAS-010", "CG-RAS-015",
    }  # fmt: skip
    assert codes.count("CG-RAS-003") > 40
