"""From a dropped file to a claimed one: names, sidecars, stability and the atomic claim. No ledger in here."""
