"""The layers and networks of UVR5's VR architecture, versions 5.0 and 5.1."""
