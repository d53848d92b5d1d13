"""Plain modules: the building blocks of the registered networks."""
