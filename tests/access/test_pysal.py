"""Floating catchments of a real city against PySAL's access, fed with the same times."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import citygeo as cg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own, of libraries it imports
    from access import fca, weights

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "porto-alegre"
pytestmark = [
    pytest.mark.skipif(not FOLDER.exists(), reason="needs shared/data/porto-alegre"),
    pytest.mark.filterwarnings("ignore::citygeo.errors.CitygeoWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),  # PySAL's own, of a future pandas
]
MINUTES = 20


@pytest.fixture(scope="module")
def city():
    """The walk network, cells with people, those with healthcare, and the times between them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cg.errors.CitygeoWarning)
        net = cg.RoadNetwork.from_osm(FOLDER / "poa_osm.pbf", mode="walk")
        cells = pd.read_csv(FOLDER / "poa_hexgrid.csv").set_index("id")
        clinics = cells[cells.healthcare > 0]
        near = cg.nearest(net, cells, clinics, direction="to", k=len(clinics), minutes=MINUTES)
    reached = near[np.isfinite(near.time_s)]
    times = pd.DataFrame(
        {"origin": reached.index, "dest": reached.facility.to_numpy(), "cost": reached.time_s.to_numpy() / 60}
    )
    return net, cells, clinics, times


ZONES = {5: 1.0, 10: 0.68, 15: 0.22}


def theirs(city, method, minutes):
    """What PySAL says, by cell."""
    _, cells, clinics, times = city
    given = {
        "demand_df": cells[["population"]], "supply_df": clinics[["healthcare"]], "max_cost": minutes,
        "cost_df": times.copy(), "demand_index": True, "demand_name": "population", "supply_name": "healthcare",
    }  # fmt: skip
    if method == "3sfca":
        return fca.three_stage_fca(**given, weight_fn=weights.gaussian(8))
    weigh = {"2sfca": None, "e2sfca": weights.step_fn(ZONES), "gaussian": weights.gaussian(8)}[method]
    return fca.two_stage_fca(**given, weight_fn=weigh)


DECAYS = {
    "2sfca": None, "e2sfca": cg.decay.step(ZONES), "gaussian": cg.decay.gaussian(8), "3sfca": cg.decay.gaussian(8),
}  # fmt: skip


@pytest.mark.parametrize("method", list(DECAYS))
def test_equal_to_pysal(city, method):
    net, cells, clinics, _ = city
    ours = cg.floating_catchment(
        net, cells, clinics, minutes=MINUTES, capacity="healthcare", decay=DECAYS[method],
        method="e2sfca" if method == "gaussian" else method,
    )  # fmt: skip
    told = theirs(city, method, MINUTES).reindex(ours.index)
    # PySAL divides by the people of facilities that nobody reaches, and leaves out cells that reach none
    is_served = np.isfinite(told).to_numpy()
    assert is_served.sum() > 900
    assert np.abs(ours.access[is_served] / told[is_served] - 1).max() < 1e-9
    assert (ours.access[~is_served].fillna(0) == 0).all()
    shared_out = (ours.access * ours.population).sum()
    facilities = ours.facilities
    in_reach = facilities.capacity[facilities.demand_in_reach > 0].sum()
    assert shared_out == pytest.approx(in_reach, rel=1e-12)
    assert 0 < in_reach <= cells.healthcare.sum()


def test_the_modified_method_gives_out_less(city):
    net, cells, clinics, _ = city
    options = {"minutes": MINUTES, "capacity": "healthcare", "decay": cg.decay.gaussian(8)}
    enhanced, modified = (
        cg.floating_catchment(net, cells, clinics, method=method, **options)
        for method in ("e2sfca", "m2sfca")
    )
    assert (modified.access.dropna() <= enhanced.access.dropna()).all()
    assert modified.facilities.ratio.equals(enhanced.facilities.ratio)
