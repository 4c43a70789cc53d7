"""Labels and tags in the browser: what is live where since when, and moving it."""
