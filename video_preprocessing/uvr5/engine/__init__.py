"""Running a network over a recording: windows, streams, resuming, kernels, chains of models."""
