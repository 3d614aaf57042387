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
# # Who does a fire engine reach in five minutes? 消防救援5分钟可达
#
# Reykjavík's capital region, four fire stations, from a packaged OpenStreetMap extract. No internet is needed.
# People are an *estimate*: municipal totals spread over residential buildings.

# %%
import citygeo as cg

city = cg.datasets.reykjavik()
net = city.network(mode="fire_engine")
net

# %% [markdown]
# How fit is the network? Look before you trust a number.

# %%
net.report()

# %% [markdown]
# Five minutes count from the dispatch order: 60 s to turn out, 240 s to drive (`delay_s`, the mode's default).

# %%
area = cg.service_area(net, city.stations, minutes=5, direction="from")
area.summary()

# %% [markdown]
# Who is covered: by area, people and buildings, for the region and each municipality.

# %%
cov = cg.coverage(
    net,
    city.stations,
    demand=city.people,
    buildings=city.buildings,
    zones=city.zones,
    study_area=city.study_area,
    minutes=5,
)
cov.table

# %%
municipalities = cov.zones[cov.zones["level"] == "municipality"]
municipalities[["name", "population", "population_covered", "population_share"]].round(3)

# %% [markdown]
# Where are the people who are not? The worst blind spots, and why.

# %%
cov.blind_spots.drop(columns="geometry").head()

# %%
cov.explore()
