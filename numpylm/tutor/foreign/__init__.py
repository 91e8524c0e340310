"""Other people's conventions: a forward and a backward found by their names, tried in every layout, and judged."""
