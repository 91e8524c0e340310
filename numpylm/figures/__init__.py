"""What pictures and notebooks share; the pictures themselves have their files in the repository's folder figures/."""
