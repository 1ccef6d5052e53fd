"""The buyers' own pages: where an order is, by a link that cannot be guessed."""
