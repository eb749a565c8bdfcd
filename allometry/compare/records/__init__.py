"""Records: what stands beside a measure and says what it is; each registers what it describes."""
