"""Type-I error of every p and coverage of every interval, kind by kind; see `harness`."""
