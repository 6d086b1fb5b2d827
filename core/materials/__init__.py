"""Materials and what they weigh."""
