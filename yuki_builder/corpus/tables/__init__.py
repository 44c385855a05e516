"""Lines and measures as files, one module per format, and statistics over them."""
