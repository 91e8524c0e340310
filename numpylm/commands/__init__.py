"""The command line's commands, and a training run's folder, files, console and report."""
