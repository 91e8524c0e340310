"""The process that runs a student's file: it reads the file, calls its functions, and answers with arrays."""
