"""What a study finds: deviations from the reference, their causes, and sentences and tables made from them."""
