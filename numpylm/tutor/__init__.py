"""Checks functions that a student wrote, and says what is likely wrong with them."""
