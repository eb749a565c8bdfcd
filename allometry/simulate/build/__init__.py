"""From a declarative network to the arrays of its partitions."""
