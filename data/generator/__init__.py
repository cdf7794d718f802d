"""The sample mailbox, written by chance with a seed: two years of one employee's mail."""
