"""AWS: the emulator (`emulator/`), started by its part (`part.py`) with a fault proxy in front."""
