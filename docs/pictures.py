"""
The pictures of isochrones.md and coverage.md. Those of maps need chromium.

    python docs/pictures.py
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl
import networkx as nx
import numpy as np
import osmnx as ox
import shapely
from matplotlib import pyplot as plt
from matplotlib.colors import BoundaryNorm
from playwright.sync_api import sync_playwright

import citygeo as cg

mpl.use("agg")
HERE = Path(__file__).parent
METRIC = 32627
PLACE = (-21.9353, 64.1428)  # east of Reykjavík's pond, which one bridge crosses
TOWN = (-21.864, 64.108)  # between three of the stations
MINUTES = [5, 10]
BANDS = ["#1b6ca8", "#8fc1e3"]  # narrow, wide
OWNERS = ["#4477aa", "#ee6677", "#228833", "#ccbb44"]
INK, PAPER, WATER, ROAD = "#222222", "#ffffff", "#d5e6ee", "#b9b9b4"
MOST_BYTES = 300_000
TALL = 0.94  # of a panel's width


def place(*lonlat):
    """One facility."""
    return gpd.GeoDataFrame(geometry=[shapely.Point(*lonlat)], crs=4326)


def metric(layer):
    """A layer in metres, as a plain table."""
    return gpd.GeoDataFrame(layer).to_crs(METRIC)


class Panels:
    """Pictures side by side on the same ground."""

    def __init__(self, network, box, titles, columns=3):
        rows = -(-len(titles) // columns)
        self.streets = metric(streets(network))
        self.box = box
        width = 12 / columns
        tall = (box[3] - box[1]) / (box[2] - box[0])
        self.figure, axes = plt.subplots(
            rows, columns, figsize=(12, rows * (width * tall + 0.32)), squeeze=False, layout="constrained"
        )
        self.axes = dict(zip(titles, axes.flat, strict=False))
        for axis in axes.flat[len(titles) :]:
            axis.set_axis_off()
        for title, axis in self.axes.items():
            axis.set_title(title, fontsize=9.5, loc="left", color=INK)

    def finish(self, name, start=None):
        """Streets on top, the same cut for all, and the file."""
        for axis in self.axes.values():
            self.streets.plot(ax=axis, color=ROAD, linewidth=0.45, zorder=2)
            if start is not None:
                metric(start).plot(
                    ax=axis, color=INK, markersize=18, zorder=6, edgecolor=PAPER, linewidth=0.8
                )
            axis.set_xlim(self.box[0], self.box[2])
            axis.set_ylim(self.box[1], self.box[3])
            axis.set_aspect("equal")
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_xlabel("")
            axis.set_ylabel("")
            for spine in axis.spines.values():
                spine.set_color("#cccccc")
        save(self.figure, name)


def save(figure, name):
    """A JPEG of less than 300 kB."""
    path = HERE / name
    for quality in (80, 70, 60):
        options = {"quality": quality, "optimize": True, "progressive": True}
        figure.savefig(path, dpi=110, facecolor=PAPER, pil_kwargs=options)
        if path.stat().st_size < MOST_BYTES:
            break
    plt.close(figure)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def photograph(page, name, size=(1280, 760)):
    """A map as a browser shows it."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "map.html"
        page.save_html(file)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        view = browser.new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
        view.goto(file.as_uri())
        view.wait_for_timeout(3000)
        view.screenshot(path=HERE / name, type="jpeg", quality=70)
        browser.close()
    print(f"{name}: {(HERE / name).stat().st_size / 1000:.0f} kB")


def streets(network):
    """All open streets as lines."""
    shape, start = network.shape_lonlat, network.arrays["shape_start"].astype(np.int64)
    lines = shapely.from_ragged_array(shapely.GeometryType.LINESTRING, np.asarray(shape, float), (start,))
    return gpd.GeoDataFrame(geometry=lines[network.is_open], crs=4326)


def around(lonlat, half_m, tall=1.0):
    """A box around a place, in metres."""
    x, y = shapely.get_coordinates(metric(place(*lonlat)).geometry)[0]
    return x - half_m, y - half_m * tall, x + half_m, y + half_m * tall


def draw_bands(axis, iso, colors=BANDS):
    """Wide bands below narrow ones, with thin outlines."""
    for minutes, color in reversed(list(zip(sorted(iso["minutes"].unique()), colors, strict=False))):
        own = iso[iso["minutes"] == minutes]
        own.plot(ax=axis, color=color, alpha=0.62, zorder=1)
        own.boundary.plot(ax=axis, color=color, linewidth=0.9, zorder=3)


def methods(network, name, box):
    """Every way of drawing the same reach."""
    asked = {"minutes": MINUTES, "direction": "from"}
    start = place(*PLACE)
    titles = (
        'kind="edges": the answer', 'method="contour", 25 m (default)', 'method="contour", cell_m=10',
        'method="buffer": exact, slow',
        'method="cells"', 'kind="raster": minutes', "offroad_kmh=inf: 100 m everywhere", "trim_m=30",
        "for contrast: hulls of reached nodes",
    )  # fmt: skip
    panels = Panels(network, box, titles)
    axes = list(panels.axes.values())
    edges = metric(cg.isochrones(network, start, kind="edges", **asked))
    for minutes, color, width in reversed(list(zip(MINUTES, BANDS, (2.4, 1.8), strict=True))):
        edges[edges["minutes"] == minutes].plot(ax=axes[0], color=color, linewidth=width, zorder=3)
    options = ({}, {"cell_m": 10.0}, {"method": "buffer"}, {"method": "cells"})
    for axis, more in zip(axes[1:5], options, strict=True):
        draw_bands(axis, metric(cg.isochrones(network, start, **asked, **more)))
    raster(axes[5], cg.isochrones(network, start, kind="raster", cell_m=10, **asked))
    draw_bands(axes[6], metric(cg.isochrones(network, start, offroad_kmh=float("inf"), **asked)))
    draw_bands(axes[7], metric(cg.isochrones(network, start, trim_m=30, **asked)))
    draw_bands(axes[8], hulls(network, start))
    panels.finish(name, start)


def raster(axis, surface):
    """Times of pixels."""
    seconds = surface.seconds[0] / 60
    west, north = surface.transform.c, surface.transform.f
    extent = (
        west, west + seconds.shape[1] * surface.cell_m, north - seconds.shape[0] * surface.cell_m, north,
    )  # fmt: skip
    levels = np.arange(0, max(MINUTES) + 1)
    colors = mpl.colormaps["viridis_r"].resampled(levels.size - 1)
    axis.imshow(
        seconds, extent=extent, cmap=colors, norm=BoundaryNorm(levels, colors.N), zorder=1, interpolation="nearest",
        alpha=0.8,
    )  # fmt: skip


def hulls(network, start):
    """What the recipe of OSMnx's notebook draws."""
    graph = ox.project_graph(network.to_osmnx(), to_crs=METRIC)
    node = ox.distance.nearest_nodes(graph, *shapely.get_coordinates(metric(start).geometry)[0])
    found = []
    for minutes in MINUTES:
        reached = nx.ego_graph(graph, node, radius=60 * minutes, distance="travel_time")
        found.append(
            shapely.MultiPoint([(data["x"], data["y"]) for _, data in reached.nodes(data=True)]).convex_hull
        )
    return gpd.GeoDataFrame({"minutes": MINUTES}, geometry=found, crs=METRIC)


def zoom(network, name):
    """One corner at street scale: contour, finer contour, buffer."""
    start = place(*PLACE)
    box = around((-21.9420, 64.1462), 330, 0.8)  # north of the pond
    panels = Panels(network, box, ("contour, 25 m", "contour, 10 m", "buffer"))
    for axis, more in zip(panels.axes.values(), ({}, {"cell_m": 10.0}, {"method": "buffer"}), strict=True):
        iso = cg.isochrones(network, start, minutes=MINUTES, direction="from", **more)
        draw_bands(axis, metric(iso))
    panels.finish(name, start)


def overlaps(network, stations, name):
    """Several facilities: each for itself, all as one, who is first."""
    asked = {"minutes": 6, "direction": "from"}
    box = around(TOWN, 5600, 0.8)
    panels = Panels(network, box, ('overlap="overlap"', 'overlap="dissolve"', 'overlap="split"'))
    for axis, overlap in zip(panels.axes.values(), ("overlap", "dissolve", "split"), strict=True):
        iso = metric(cg.isochrones(network, stations, overlap=overlap, **asked))
        colors = [BANDS[0]] if overlap == "dissolve" else OWNERS
        iso.plot(ax=axis, color=colors, alpha=0.5, zorder=1)
        iso.boundary.plot(ax=axis, color=colors, linewidth=1.0, zorder=3)
    points = stations.to_crs(METRIC).set_geometry(stations.to_crs(METRIC).representative_point())
    panels.finish(name, points.to_crs(4326))


def depth(network, stations, name):
    """Rings, and by how many stations each street is reached, and when the first is there."""
    box = around(TOWN, 5600, 0.8)
    panels = Panels(
        network,
        box,
        (
            'bands="rings", overlap="dissolve"',
            "arrivals(): by how many in 6 minutes",
            "arrivals(): minutes of the first",
        ),
    )
    axes = list(panels.axes.values())
    rings = metric(
        cg.isochrones(
            network, stations, minutes=[2, 4, 6], direction="from", overlap="dissolve", bands="rings"
        )
    )
    colors = ["#1b6ca8", "#5ba3d0", "#b5d7ee"]
    rings.plot(ax=axes[0], color=colors, alpha=0.8, zorder=1)
    rings.boundary.plot(ax=axes[0], color="#ffffff", linewidth=0.5, zorder=3)
    order = metric(cg.isochrones(network, stations, minutes=6, direction="from").arrivals(k=1))
    shades = {1: "#fdae61", 2: "#abd9e9", 3: "#4575b4", 4: "#313695"}
    for many, color in shades.items():
        order[order["depth"] == many].plot(ax=axes[1], color=color, linewidth=1.3, zorder=3, label=f"{many}")
    axes[1].legend(title="stations", fontsize=7, title_fontsize=7, loc="lower left", frameon=True)
    order["first"] = (order["time_1_from_s"] + order["time_1_to_s"]) / 120
    order.plot(
        ax=axes[2], column="first", cmap="viridis_r", vmin=1, vmax=6, linewidth=1.2, zorder=3, legend=True,
        legend_kwds={"shrink": 0.6, "label": "minutes"},
    )  # fmt: skip
    points = stations.to_crs(METRIC).set_geometry(stations.to_crs(METRIC).representative_point())
    panels.finish(name, points.to_crs(4326))


def main():
    """All pictures."""
    city = cg.datasets.reykjavik()
    walk, engine = city.network("walk"), city.network("fire_engine")
    methods(walk, "isochrones-methods.jpg", around(PLACE, 900, TALL))
    zoom(walk, "isochrones-street-scale.jpg")
    overlaps(engine, city.stations, "isochrones-overlap.jpg")
    depth(engine, city.stations, "isochrones-depth.jpg")
    life(walk, city)


def life(network, city):
    """Which services people lack, and where many people have little access."""
    complete = cg.completeness(network, city.services, demand=city.people, zones=city.zones, minutes=15)
    photograph(complete.explore(), "completeness.jpg")
    cells = cg.population(city.people, resolution=9).cx[-22.1:-21.6, 64.03:64.2]
    clinics = city.services["clinic"].assign(capacity=1000)
    shared = cg.floating_catchment(
        network, cells, clinics, minutes=30, method="e2sfca", decay=cg.decay.gaussian(15)
    )
    titles = ("Clinics within a 30-minute walk, and people", "步行30分钟内的诊所与人口")
    photograph(shared.explore(column=("access", "population"), title=titles), "access-people.jpg")


if __name__ == "__main__":
    main()
