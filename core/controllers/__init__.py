"""Workers that make the world agree with the ledger: printers, slicing, ingest, dispatch."""
