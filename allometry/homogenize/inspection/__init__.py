"""What files are, and the configuration that reads them: behind the command `inspect`."""
