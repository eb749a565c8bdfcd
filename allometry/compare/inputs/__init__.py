"""What comparisons and studies of scaling read out of stores: weights, atlases, designs of responses, spike trains."""
