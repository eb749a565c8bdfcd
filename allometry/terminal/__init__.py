"""What a person meets in the terminal: a run that tells what it does, new configurations, plots, and the state of the machine."""
