"""What stands below the mathematics: checks of arguments, choices with their defaults, memory, several processes."""
