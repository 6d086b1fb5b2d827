"""What screens show, decided by pure functions: ledger objects, live observations and the time in; views out."""
