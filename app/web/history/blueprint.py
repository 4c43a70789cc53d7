"""The blueprint of the pages about the past, and the addresses that they begin with."""

from app.web import admission

blueprint = admission.pages("history")

REPO = "/<user:owner>/<repo_name>"
TARGET = f"{REPO}/targets/<item:target_name>"
PROMPT = f"{REPO}/prompts/<item:prompt_name>"
DEFAULT = f"{REPO}/default"
