"""What stores hold in few numbers, for people: one screen, sizes and correlations, differences."""
