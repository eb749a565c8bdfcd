"""Where the jobs of runs and studies lie, and what each of them reads."""
