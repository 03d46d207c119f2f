"""The loops: particles simulated, data heated, samples cooled, and what each run returns."""
