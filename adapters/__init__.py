"""One module per printer family behind the contract in `core.contract`."""
