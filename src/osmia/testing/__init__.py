"""Are we right?  Programs made up at random, the running kernel as their judge, and what programs do when they run."""
