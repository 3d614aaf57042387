"""
The 15-minute life circle of central Porto Alegre: which services every hexagon has on foot, and how fairly.

    python -m benchmarks.porto_alegre ../shared/data/porto-alegre poa      # the data, and a folder to write to

The data are those of the R package r5r: hexagons of resolution 9 with people, schools and healthcare, an OpenStreetMap
extract, and the city's GTFS, of which the stops are taken. Written are ``completeness/``, ``access.csv`` and ``.gpkg``
(schools and places of healthcare within 15 minutes, and healthcare by 2SFCA), ``equity.csv``, ``summary.csv``, maps
(``.html``) and charts (``.png``). Printed is what the tables say, after checks that they add up.
"""

from __future__ import annotations

import argparse
import time
import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

import citygeo as cg

MINUTES = 15
LABELS = {
    "school_schools_reached": ("Schools within 15 min", "15分钟内学校数"),
    "healthcare_per_10000": ("Healthcare per 10,000 people", "每万人医疗机构"),
    "population": ("People", "人口"),
}
MAPS = (
    ("schools", "school_schools_reached", ("Schools within 15 minutes on foot", "步行15分钟内的学校数")),
    (
        "healthcare",
        "healthcare_per_10000",
        (
            "Places of healthcare per 10,000 people, 15 minutes on foot (2SFCA)",
            "步行15分钟每万人可达医疗机构(2SFCA)",
        ),
    ),
    (
        "healthcare_and_people",
        ("healthcare_per_10000", "population"),
        ("Healthcare within 15 minutes, and people", "步行15分钟医疗可达性与人口"),
    ),
)


def read(folder: Path) -> tuple[gpd.GeoDataFrame, dict[str, gpd.GeoDataFrame]]:
    """Return the hexagons, and the services; places of a hexagon are known by its centre alone."""
    given = pd.read_csv(folder / "poa_hexgrid.csv").set_index("id").sort_index()
    cells = cg.hexgrid.to_frame(given[["population", "schools", "jobs", "healthcare"]])
    centres = gpd.GeoDataFrame(
        given, geometry=gpd.points_from_xy(given["lon"], given["lat"]), crs=4326, index=given.index
    )
    with zipfile.ZipFile(folder / "poa_eptc.zip") as archive, archive.open("stops.txt") as file:
        stops = pd.read_csv(file, index_col="stop_id")
    services = {
        "school": centres[centres["schools"] > 0],
        "healthcare": centres[centres["healthcare"] > 0],
        "stop": gpd.GeoDataFrame(
            {"name": stops["stop_name"]},
            geometry=gpd.points_from_xy(stops["stop_lon"], stops["stop_lat"]),
            crs=4326,
        ),
    }
    return cells, services


def near(services: dict[str, gpd.GeoDataFrame], cells: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """Return the services a walk of 15 minutes could lead to: the GTFS goes far beyond the extract."""
    west, south, east, north = cells.total_bounds
    return {
        name: layer.cx[west - 0.02 : east + 0.02, south - 0.02 : north + 0.02]
        for name, layer in services.items()
    }


def check(
    com: cg.Completeness, cells: gpd.GeoDataFrame, access: gpd.GeoDataFrame, fca: gpd.GeoDataFrame
) -> None:
    """Assert that people are conserved, and that shared-out capacity is what there is to share."""
    people = cells["population"].sum()
    assert com.table["total"].eq(people).all()
    assert np.isclose(com.cells["population"].sum(), people, rtol=1e-12)
    assert np.isclose(com.points["population"].sum(), people, rtol=1e-12)
    for name in ("school", "healthcare", "stop"):
        covered = (com.cells["population"] * com.cells[f"{name}_share"]).sum()
        assert np.isclose(covered, com.table.loc[name, "covered"], rtol=1e-9)
    used = fca.facilities.loc[fca.facilities["people_in_reach"] > 0, "capacity"].sum()
    given = (fca["access"].fillna(0) * fca["population"]).sum()
    assert np.isclose(given, used, rtol=1e-9)
    assert access.index.equals(fca.index)


def main() -> None:
    """Compute, check, write, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with poa_osm.pbf, poa_hexgrid.csv and poa_eptc.zip")
    parser.add_argument("folder", type=Path, help="where to write")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", cg.errors.CitygeoWarning)
    begin = time.perf_counter()
    asked.folder.mkdir(parents=True, exist_ok=True)
    cells, services = read(asked.data)
    services = near(services, cells)
    net = cg.RoadNetwork.from_osm(asked.data / "poa_osm.pbf", mode="walk")
    built = time.perf_counter()

    com = cg.completeness(net, services, demand=cells, minutes=MINUTES)
    counted = {"school": "schools", "healthcare": "healthcare"}
    access = cg.accessibility(
        net, cells[["population", "geometry"]], {name: services[name] for name in counted}, minutes=MINUTES,
        weight=counted, direction="to",
    )  # fmt: skip
    clinics = services["healthcare"]
    fca = cg.floating_catchment(
        net, cells[["population", "geometry"]], clinics, minutes=MINUTES, capacity="healthcare"
    )
    access = access.assign(healthcare_per_10000=1e4 * fca["access"])
    looked = {
        "schools": "school_schools_reached", "healthcare": "healthcare_healthcare_reached",
        "healthcare by 2SFCA": "healthcare_per_10000",
    }  # fmt: skip
    fair = {
        name: cg.equity(access, column, standard=1 if column.endswith("reached") else None)
        for name, column in looked.items()
    }
    done = time.perf_counter()
    check(com, cells, access, fca)

    equity = pd.concat({name: found.table.loc["population"] for name, found in fair.items()}, axis=1).T
    com.save(asked.folder / "completeness")
    com.explore().save_html(asked.folder / "completeness.html")
    table = access.drop(columns="geometry")
    table.to_csv(asked.folder / "access.csv")
    gpd.GeoDataFrame(access).to_file(asked.folder / "access.gpkg", layer="access")
    equity.to_csv(asked.folder / "equity.csv")
    com.table.to_csv(asked.folder / "summary.csv")
    shown = gpd.GeoDataFrame(access)
    shown.attrs |= {"attribution": access.provenance["attribution"], "labels": LABELS}
    for name, column, title in MAPS:
        cg.explore(net, shown, column=column, title=title).save_html(asked.folder / f"{name}.html")
    fair["healthcare"].plot(
        asked.folder / "lorenz_healthcare.png",
        title=("Healthcare within 15 minutes on foot", "步行15分钟内的医疗机构"),
    )
    fair["schools"].plot(
        asked.folder / "lorenz_schools.png", title=("Schools within 15 minutes on foot", "步行15分钟内的学校")
    )

    print(com)
    print(com.table[["minutes", "facilities", "covered", "total", "share"]].round(4).to_string())
    print(com.lacking.round(4).to_string())
    print(
        equity[["people", "unknown", "mean", "median", "share_below", "gini", "palma"]].round(4).to_string()
    )
    given = (fca["access"].fillna(0) * fca["population"]).sum()
    print(
        f"2SFCA shares out {given:.6f} of {clinics['healthcare'].sum()} places of healthcare, all that people reach"
    )
    print(
        f"network {built - begin:.1f} s, answers {done - built:.1f} s, files {time.perf_counter() - done:.1f} s"
    )


if __name__ == "__main__":
    main()
