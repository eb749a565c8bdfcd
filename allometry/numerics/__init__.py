"""Numbers with the same bits on every CPU, and the null model of graphs that stages share."""
