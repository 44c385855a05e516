"""From waveforms to what the networks see, and back: transforms, bands, masks, the limiter."""
