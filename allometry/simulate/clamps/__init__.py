"""Single cells under clamp: protocols of steps, and the stores that they become."""
