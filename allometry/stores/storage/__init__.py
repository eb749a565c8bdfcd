"""How a store lies on the disk: its arrays, its manifest, how it appears under its name and how it is opened."""
