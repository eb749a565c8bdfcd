"""What a configuration may name and ask for: checked when the workflow is parsed."""
