"""Programs made up at random, one module for each part of a program: mostly valid, deep, and cheap to make."""
