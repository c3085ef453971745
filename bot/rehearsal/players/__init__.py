"""The peers of a rehearsal: what each does, in which words, and Evaluation's laboratory."""
