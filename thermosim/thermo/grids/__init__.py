"""Which noise levels a sampler should stop at: grids of least work and of least transport error, from a pilot batch."""
