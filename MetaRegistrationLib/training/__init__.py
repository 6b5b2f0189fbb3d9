"""Training: one optimisation step, shared by pretraining, Reptile and fine-tuning, and the run that keeps it safe."""
