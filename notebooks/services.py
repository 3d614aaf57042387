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
# # What is within a walk? 十五分钟生活圈
#
# Reykjavík's capital region: schools, kindergartens, pharmacies, bus stops and parks on foot, fire engines by road. Who
# has what, neighbourhood by neighbourhood; who lacks what; and how evenly it is shared out. No internet is needed.
# People are an *estimate*: municipal totals spread over residential buildings.

# %%
import pandas as pd

import citygeo as cg

city = cg.datasets.reykjavik()
walk, drive = city.network("walk"), city.network("fire_engine")
minutes = {"school": 15, "kindergarten": 10, "pharmacy": 15, "bus_stop": 5, "park": 10}
services = {name: city.services[name] for name in minutes}
pd.Series({name: len(layer) for name, layer in services.items()}, name="places")

# %% [markdown]
# ## Which services do people have? 服务齐全度
#
# A person has a service if one of its places is within the minutes, from door to door. A park is entered where a path
# meets its edge, not at a point in its middle.

# %%
com = cg.completeness(
    walk,
    services,
    demand=city.people,
    minutes=minutes,
    zones=city.zones,
    polygons={name: "entrances" if name == "park" else "point" for name in services},
)
com.table[["minutes", "facilities", "covered", "total", "share"]].round(3)

# %% [markdown]
# What people lack, and how many of them. Whatever tops this list is what to look at first.

# %%
com.lacking.head(8).round(3)

# %%
com.explore()

# %% [markdown]
# ## And the fire engines? 消防
#
# Five minutes from the dispatch order, a minute of turnout among them.

# %%
fire = cg.coverage(
    drive,
    city.stations,
    demand=city.people,
    minutes=5,
    zones=city.zones,
    buildings=city.buildings,
    study_area=city.study_area,
)
fire.table.round(3)

# %% [markdown]
# Where they stop: the share of people within reach, had they more or fewer minutes.

# %%
axes = fire.curve().plot()

# %% [markdown]
# ## Neighbourhood by neighbourhood 分街区一览
#
# One row per neighbourhood of 500 people or more that OpenStreetMap draws, the least complete first. Shares are of
# people; the score is the mean share of the five services on foot.


# %%
def neighbourhoods(zones: pd.DataFrame) -> pd.DataFrame:
    return zones[(zones["level"] == "neighbourhood") & (zones["population"] >= 500)].set_index("zone")


walks, drives = neighbourhoods(com.zones), neighbourhoods(fire.zones)
shares = walks[[f"{name}_share" for name in services]].rename(
    columns=lambda name: name.removesuffix("_share")
)
table = walks[["name", "population", "score"]].join(shares)
table["fire"] = drives["population_share"]
table.sort_values("score").set_index("name").round(2).head(15)

# %%
fire.explore()

# %% [markdown]
# ## How evenly? 公平性
#
# How many schools, pharmacies and parks each hexagon has within 15 minutes, and how evenly people share in that: a Gini
# of 0 means that all have the same, 1 that one has all.

# %%
cells = cg.population(city.people, resolution=9)
cells = cells[cells["population"] > 0]
reach = cg.accessibility(
    walk, cells, {name: services[name] for name in ("school", "pharmacy", "park")}, minutes=15, direction="to"
)
shared = {name: cg.equity(reach, f"{name}_reached", standard=1) for name in ("school", "pharmacy", "park")}
pd.concat({name: result.table.loc["population"] for name, result in shared.items()}, axis=1).round(3)

# %%
axes = shared["pharmacy"].plot(title=("Pharmacies within 15 minutes on foot", "步行15分钟内的药店"))

# %% [markdown]
# ## Are there places enough? 学位够吗
#
# OpenStreetMap does not say how many children a kindergarten takes, nor how many there are: here each takes 100, and
# 6 of 100 people are of that age. **Assumed, to show the question.** Children go to the nearest with a free place, and
# nobody farther than 20 minutes.

# %%
plan = cg.provision(
    walk,
    cells.assign(children=0.06 * cells["population"]),
    services["kindergarten"].assign(places=100),
    population="children",
    capacity="places",
    minutes=20,
    zones=city.zones,
)
plan.table.round(3)

# %%
plan.explore()
