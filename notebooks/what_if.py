# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Is the network fit, and what if it changes? 路网是否可用,改变之后会怎样
#
# Before anyone trusts a number: look at the network. Then close a street, slow down the rush hour, build a road, and
# ask again. Every edit is a new network; the old one stays as it is.

# %%
import geopandas as gpd
import shapely

import citygeo as cg

city = cg.datasets.reykjavik()
net = city.network("fire_engine")
net

# %% [markdown]
# ## Fitness 路网体检
#
# What hangs together, which streets can be entered and not left, where lines stop short of each other, how many speeds
# are assumed. Nothing is repaired in silence.

# %%
report = net.report(points=city.stations)
print(report)

# %%
report.places.groupby("problem").size()

# %%
report.explore()


# %% [markdown]
# ## How many people are reached in five minutes?


# %%
def people_reached(network: cg.RoadNetwork) -> int:
    cover = cg.coverage(network, city.stations, demand=city.people, zones=city.zones, minutes=5)
    return round(cover.table.loc["population", "covered"])


today = people_reached(net)
today

# %% [markdown]
# Rush hour 早高峰: main roads at half, all others at four fifths of their speed.

# %%
rush = net.with_speeds({"trunk": 0.5, "primary": 0.5, "secondary": 0.6, "*": 0.8})
people_reached(rush) - today

# %% [markdown]
# Road works 封路: a polygon closes what lies inside it; streets are cut at its boundary.

# %%
station = city.stations.to_crs(net.metric_crs).geometry.iloc[0].centroid
x, y = station.x, station.y
site = gpd.GeoDataFrame(geometry=[shapely.Point(x + 500, y).buffer(250)], crs=net.metric_crs)
people_reached(net.without(polygon=site)) - today

# %% [markdown]
# A new street 新建道路: drawn from one street to another, joined to both.

# %%
line = gpd.GeoDataFrame(
    {"highway": ["secondary"]},
    geometry=[shapely.LineString([(x, y), (x + 900, y + 200)])],
    crs=net.metric_crs,
)
people_reached(net.with_edges(line, connect_m=120)) - today

# %% [markdown]
# Engines on call with right of way 优先通行: neither one-way streets nor turn restrictions bind them.

# %%
free = cg.RoadNetwork.from_osm(city.osm_path, mode=cg.travel_mode("fire_engine", oneway=False, vehicles=()))
people_reached(free) - today
