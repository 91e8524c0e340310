"""Saying what is wrong with a gradient: a library of mistakes, wiretaps, suspects and sentences."""
