"""Why was a program refused?  The verdict in terms of the user's source: facts first, prose second."""
