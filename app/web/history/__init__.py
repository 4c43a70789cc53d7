"""What changed, when, and why: timelines, comparisons of any two versions, and how to put one back."""
