"""
The Rural Access Index of Burundi (SDG 9.1.1): the share of rural people within 2 km of an all-season road.

    python -m benchmarks.rural_access --out rural_access    # tables on the screen, a map as HTML and PNG in the folder

From three files of one package: people (GHS-POP, 250 m pixels), roads (OpenStreetMap) and the outline of the country.
What is decided, and from where:

- Definition: "the share of a country's rural population that lives within 2 km of an all-season road" (metadata of
  SDG indicator 9.1.1, World Bank, 2020).
- Rural: not in an urban centre, by the degree of urbanisation (UN Statistical Commission, March 2020; Eurostat,
  Applying the Degree of Urbanisation, 2021): 1 km2 cells of 1,500 people or more that touch side by side and have
  50,000 people or more together. The cells are 4 x 4 pixels of the raster from its north-west corner, 0.9994 km2;
  people per km2 of cell, not of land; gaps are not filled. Beside it: not in an urban cluster (300 people, corners
  touch too, 5,000 together), which is what that rule itself calls rural. It is not the answer here because Burundi has
  410 people per km2 all over and this raster puts them into 4 % of its pixels: farming villages pass for towns, and
  13 % would be rural.
- All-season road: the file tells the class of a road but neither surface nor state, so the class stands for it:
  motorway to tertiary and their links, the classified network. Beside it: unclassified and residential roads too,
  which may be closed in the rains. Tracks, paths and footways never count.
- 2 km: a straight line on the ground to the nearest point of the road's own line, in a transverse Mercator projection
  through the middle of the country; what that is wrong by is measured against geodesics and printed.
- In the answer a pixel is divided by the border of what is near (shares of its area). Whole pixels by their middles are
  told beside it, and for other choices and distances.
- The raster is cut at the border already (0.4 % of the people stand up to 2 km outside of the package's outline).
  Hardly any road beyond the border is in the file: people there who live by a neighbour's road count as without.
- There are no outlines of provinces in the package: the table is of the whole country.
"""

from __future__ import annotations

import argparse
import shutil
import time
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import rasterio
import rasterio.features
import shapely
from scipy import ndimage

import citygeo as cg
from benchmarks import data
from citygeo.demand.raster import cells_of_raster
from citygeo.issues import IssueLog

NEAR_M = 2000.0
DISTANCES_M = (500, 1000, 2000, 3000, 5000)
RESOLUTION = 7  # about 6 km2 a cell: what a country's map shows
CLASSES = ("motorway", "trunk", "primary", "secondary", "tertiary")
CLASSIFIED = {name for of in CLASSES for name in (of, f"{of}_link")}
ROADS = {
    "classified roads": CLASSIFIED,
    "all public roads": CLASSIFIED | {"unclassified", "residential", "living_street", "road"},
}
SIDE = 4  # pixels in a kilometre
CORNERS = 32  # of a quarter of a circle: 0.6 m short at 2 km at most
# people in a cell of a kilometre, whether corners touch, people together
URBAN = {"outside urban centres": (1_500, False, 50_000), "outside urban clusters": (300, True, 5_000)}


class Country:
    """The three files, in the projections they are measured in."""

    def __init__(self, cache):
        self.raster = data.fetch("burundi-people", cache)
        outline = gpd.read_file(data.fetch("burundi-outline", cache))
        roads = gpd.read_file(data.fetch("burundi-roads", cache))
        west, south, east, north = outline.total_bounds
        self.flat = pyproj.CRS.from_proj4(
            f"+proj=tmerc +lon_0={(west + east) / 2:.4f} +lat_0={(south + north) / 2:.4f} +datum=WGS84"
        )
        self.outline, self.roads = outline.to_crs(self.flat), roads.to_crs(self.flat)
        with rasterio.open(self.raster) as file:
            self.values, self.to, self.crs = file.read(1).astype(float), file.transform, file.crs.to_wkt()
        self.values[~(self.values > 0)] = 0

    def lines(self, classes):
        """Roads of some classes."""
        return self.roads[self.roads["highway"].isin(classes)]

    def urban(self, density, corners, together):
        """Polygons of cells of a kilometre that form an urban cluster, and which pixels lie in one."""
        rows, columns = (-(-size // SIDE) * SIDE for size in self.values.shape)
        padded = np.zeros((rows, columns))
        padded[: self.values.shape[0], : self.values.shape[1]] = self.values
        people = padded.reshape(rows // SIDE, SIDE, columns // SIDE, SIDE).sum(axis=(1, 3))
        km2 = abs(self.to.determinant) * SIDE**2 / 1e6
        group, n = ndimage.label(people / km2 >= density, np.ones((3, 3)) if corners else None)
        sums = ndimage.sum_labels(people, group, np.arange(n + 1))
        is_urban = (sums >= together) & (np.arange(n + 1) > 0)
        mask = is_urban[group]
        to = self.to @ rasterio.Affine.scale(SIDE)
        shapes = rasterio.features.shapes(mask.astype(np.uint8), mask=mask, transform=to)
        found = gpd.GeoDataFrame(
            geometry=[shapely.geometry.shape(shape) for shape, _ in shapes], crs=self.crs
        )
        pixels = np.kron(mask, np.ones((SIDE, SIDE), bool))[: self.values.shape[0], : self.values.shape[1]]
        return found, pixels, int(is_urban.sum())

    def places(self):
        """The middles of inhabited pixels in the flat projection, their people, and row and column."""
        row, column = np.nonzero(self.values)
        into = pyproj.Transformer.from_crs(self.crs, self.flat, always_xy=True)
        xy = into.transform(self.to.a * (column + 0.5) + self.to.c, self.to.e * (row + 0.5) + self.to.f)
        return shapely.points(np.column_stack(xy)), self.values[row, column], row, column


def nearest_m(points, lines):
    """Straight metres from each point to the nearest line, and the point of it that is nearest."""
    tree = shapely.STRtree(lines.geometry.to_numpy())
    (_, line), distance = tree.query_nearest(points, return_distance=True, all_matches=False)
    return distance, shapely.get_point(shapely.shortest_line(lines.geometry.to_numpy()[line], points), 0)


def worst_of_projection(country, points, ends, distance):
    """How far the flat distances are from geodesics, in parts of them."""
    back = pyproj.Transformer.from_crs(country.flat, 4326, always_xy=True)
    starts, stops = (back.transform(*shapely.get_coordinates(part).T) for part in (points, ends))
    _, _, geodesic = pyproj.Geod(ellps="WGS84").inv(*starts, *stops)
    far = geodesic > 100
    return np.abs(distance[far] / geodesic[far] - 1).max()


def people_in(country, area):
    """People of the raster in an area, pixels divided by its border, by cell and in all."""
    cells, people, facts = cells_of_raster(
        country.raster, RESOLUTION, area=area, method="exact", log=IssueLog()
    )
    return pd.Series(people, index=cg.hexgrid.to_strings(cells)), facts["people"]


def choices(country):
    """
    The index for each choice of rural and of roads, by the middles of pixels, the answer's first.

    Returns
    -------
    The table, and what the answer is made of: polygons that are urban, and the lines of roads.
    """
    points, people, row, column = country.places()
    distance = {}
    for name, classes in ROADS.items():
        distance[name], ends = nearest_m(points, country.lines(classes))
        worst = worst_of_projection(country, points, ends, distance[name])
        print(
            f"{name}: flat distances differ from geodesics by {worst:.1e} at most, {NEAR_M * worst:.2f} m at 2 km"
        )
    rows, urban = [], {}
    for name, rule in URBAN.items():
        urban[name], pixels, n_groups = country.urban(*rule)
        rural = np.where(pixels[row, column], 0.0, people)
        share = rural.sum() / people.sum()
        print(f"{name}: {n_groups} groups; {rural.sum():,.0f} of {people.sum():,.0f} people, {share:.1%}")
        for roads, far in distance.items():
            within = {f"{metres} m": rural[far <= metres].sum() / rural.sum() for metres in DISTANCES_M}
            km = country.lines(ROADS[roads]).length.sum() / 1000
            rows.append({"rural": name, "all-season": roads, "km of road": round(km), **within})
    return pd.DataFrame(rows), next(iter(urban.values())), country.lines(next(iter(ROADS.values())))


def answer(country, urban, lines):
    """Rural people by cell and in all: everybody, and those within 2 km, pixels divided by area."""
    box = gpd.GeoSeries([shapely.box(*country.outline.buffer(20_000).total_bounds)], crs=country.flat)
    rural = box.difference(urban.to_crs(country.flat).union_all())
    near = shapely.union_all(lines.buffer(NEAR_M, quad_segs=CORNERS).to_numpy())
    by_cell, total = people_in(country, rural)
    served, within = people_in(country, rural.intersection(near))
    table = pd.DataFrame({"rural_people": by_cell, "served": served}).fillna(0.0)
    table["unserved"] = (table["rural_people"] - table["served"]).clip(lower=0.0)
    table["access_share"] = (table["served"] / table["rural_people"]).clip(upper=1.0)
    cells = cg.hexgrid.to_frame(table)
    cells.attrs |= {
        "name": "Rural people beyond 2 km",
        "name_zh": "2 公里以外的乡村人口",
        "labels": {
            "unserved": (
                "Rural people beyond 2 km of an all-season road",
                "距全天候道路 2 公里以外的乡村人口",
            ),
            "served": ("Rural people within 2 km", "2 公里以内的乡村人口"),
            "rural_people": ("Rural people", "乡村人口"),
            "access_share": ("Share within 2 km", "2 公里以内的比例"),
        },
        "attribution": "People: GHS-POP, European Commission JRC, CC BY 4.0",
    }
    return cells, within, total


def draw(country, urban, lines, cells, within, total):
    """The map: hexagons by people without access, over the roads that count, urban centres and the border."""
    ground = []
    for layer, name, name_zh, credit in (
        (country.outline, "Burundi, Lake Tanganyika included", "布隆迪(含坦噶尼喀湖)", ""),
        (urban, "Urban centres", "城市中心", ""),
        (lines, "All-season roads", "全天候道路", "Roads: © OpenStreetMap contributors, ODbL"),
    ):
        plain = layer[["geometry"]].copy()
        plain.attrs = {"name": name, "name_zh": name_zh, "attribution": credit}
        ground.append(plain)
    share, millions = within / total, total / 1e6
    title = (
        f"Burundi: {share:.1%} of {millions:.2f} million rural people live within 2 km of an all-season road",
        f"布隆迪:{total / 1e4:,.0f} 万乡村人口中 {share:.1%} 居住在全天候道路 2 公里以内(SDG 9.1.1)",
    )
    somebody = cells[cells["unserved"] >= 1]
    return cg.explore(*ground, somebody, column="unserved", title=title)


def photograph(page, png):
    """A picture of the page by a browser without internet."""
    from playwright.sync_api import sync_playwright

    browser = next(
        path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))
    )
    with sync_playwright() as play, play.chromium.launch(executable_path=browser) as running:
        tab = running.new_page(viewport={"width": 1560, "height": 1240}, device_scale_factor=1.5)
        tab.goto(page.resolve().as_uri())
        tab.wait_for_timeout(1500)
        tab.screenshot(path=png)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--data", type=Path, default=data.CACHE)
    parser.add_argument("--out", type=Path, help="folder for the map and the cells")
    options = parser.parse_args()
    warnings.simplefilter("ignore", cg.errors.CitygeoWarning)
    start = time.perf_counter()
    cache = options.data.expanduser().resolve()
    cache.mkdir(parents=True, exist_ok=True)
    country = Country(cache)
    print(country.roads["highway"].value_counts().to_string(), "\n")
    table, urban, lines = choices(country)
    print(f"\n{table.to_string(index=False, float_format=lambda value: f'{value:.4f}')}\n")
    cells, within, total = answer(country, urban, lines)
    for column, people in (("rural_people", total), ("served", within)):
        print(
            f"{column}: sum of {len(cells):,} cells / sum of pixels - 1 = {cells[column].sum() / people - 1:.1e}"
        )
    print(
        f"Rural Access Index, rural outside urban centres, classified roads: {within:,.0f} / {total:,.0f} = "
        f"{within / total:.4f} ({time.perf_counter() - start:.1f} s)"
    )
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        page = options.out / "rural_access.html"
        draw(country, urban, lines, cells, within, total).save_html(page)
        photograph(page, options.out / "rural_access.png")
        cells.to_file(options.out / "rural_access.gpkg", layer="cells")
        table.to_csv(options.out / "rural_access.csv", index=False)


if __name__ == "__main__":
    main()
