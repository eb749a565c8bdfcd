"""What comparisons read out of stores: weights and atlases of connectomes, designs of responses."""
