from citygeo.access import Accessibility as Accessibility
from citygeo.access import accessibility as accessibility
from citygeo.access import decay as decay
from citygeo.access import floating_catchment as floating_catchment
from citygeo.access.equity import equity as equity
from citygeo.coverage import Coverage as Coverage
from citygeo.coverage import coverage as coverage
from citygeo.coverage.completeness import Completeness as Completeness
from citygeo.coverage.completeness import completeness as completeness
from citygeo.demand import floor_space as floor_space
from citygeo.demand import population as population
from citygeo.demand import spread_population as spread_population
from citygeo.isochrones import Isochrones as Isochrones
from citygeo.isochrones import TimeSurface as TimeSurface
from citygeo.isochrones import isochrones as isochrones
from citygeo.modes import TravelMode as TravelMode
from citygeo.modes import mode_names as mode_names
from citygeo.modes import travel_mode as travel_mode
from citygeo.network import RoadNetwork as RoadNetwork
from citygeo.provision import Provision as Provision
from citygeo.provision import provision as provision
from citygeo.reach import ServiceArea as ServiceArea
from citygeo.reach import nearest as nearest
from citygeo.reach import service_area as service_area
from citygeo.reach import travel_times as travel_times
from citygeo.viz import explore as explore

from . import datasets as datasets
from . import errors as errors
from . import hexgrid as hexgrid

__version__: str
