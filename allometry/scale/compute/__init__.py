"""How wall time and memory depend on threads, partitions and size: measured, modelled, and carried over to other machines."""
