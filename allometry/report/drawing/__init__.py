"""What figures have in common: style, strips, parts of panels, the file and its description."""
