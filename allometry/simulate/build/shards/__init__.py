"""The share of one thread: which neurons it has, where their state is, and what drives them."""
