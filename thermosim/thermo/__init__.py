"""Statistics and designs made of runs: efficiencies, entropies, geodesic schedules, quality of samples."""
