"""What becomes of whole repos: deleted, restored, renamed, transferred, imported."""
