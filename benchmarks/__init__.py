"""Measurements of citygeo against its peers and against the limits of the machine; see README.md."""
