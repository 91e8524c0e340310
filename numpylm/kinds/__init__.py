"""What each kind of model needs beside its mathematics: to be trained, measured, saved, and taken to PyTorch."""
