"""NWB 2 files as trees of typed groups and arrays, whether they are HDF5 or Zarr, and whichever extensions wrote them."""
