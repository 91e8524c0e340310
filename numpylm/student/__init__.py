"""Checking functions that a student wrote: what is known by name, how it is called, and what is said of it."""
