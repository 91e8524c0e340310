"""Proving a gradient: numerical derivatives, the checker, its report and its pictures."""
