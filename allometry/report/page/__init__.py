"""The report's pages: findings, the chain of stages, sections with figures and tables, benchmark cards."""
