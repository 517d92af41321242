"""What-ifs: private copies of the plan in which everything may be tried, measured against the real plan, and proposed."""
