"""The sign-in, and what a user sees first."""
