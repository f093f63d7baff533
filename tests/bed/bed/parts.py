"""The parts of the bed: name → (module, class, keyword arguments). A module is imported when its part is first asked for,
so that a part whose packages are missing doesn't take the others down."""

PARTS = {
    "faults": ("bed.faults", "Faults", {}),
}
