"""The command line's commands, and a training run's folder, files, console and report."""

RANK_VARIABLES = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK")  # set by mpiexec of MPICH, Open MPI, Slurm
