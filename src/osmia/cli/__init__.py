"""The command line: thin commands over the rooms above, each in a module of its own, imported when called."""
