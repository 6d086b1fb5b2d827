"""The interface that screens use: commands out, views and events in."""
