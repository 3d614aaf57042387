"""Map layers, one kind per module; each function takes tables and returns a Layer."""
