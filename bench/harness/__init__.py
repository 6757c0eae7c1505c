"""What bench/compare and bench/load share: proxies, processes, scenarios, measuring and printing."""
