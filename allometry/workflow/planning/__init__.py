"""What a run will take, said before it starts: works of jobs, what they cost, their order, and the plan as text."""
