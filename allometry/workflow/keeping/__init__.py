"""What is done with results once they are there: verified, compared with a reference, described, archived."""
