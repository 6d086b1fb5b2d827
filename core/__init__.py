"""The kernel of kiln-tui: domain, ledger, controllers and gates, without a screen or a network client."""
