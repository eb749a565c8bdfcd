"""Writers of stores that are longer than memory: edges and spikes come in blocks of any length."""
