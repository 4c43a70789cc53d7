"""Request bodies, built rather than pasted."""

from typing import Any


def seed_overrides() -> dict[str, Any]:
    """Return the overrides of the page that the project started from."""
    return {
        "generators": [
            {"model": "claude-3-5-sonnet-20241022", "numq": 10, "temperature": 1, "type": "oneshot_qs"},
            {"dataset": "code_contests", "numq": 15, "seed": 42, "type": "from_dataset"},
            {
                "questions": [
                    "Write a function to reverse a string",
                    "Implement binary search",
                    "Create a linked list class",
                ],
                "rollout_with_conditioned": False,
                "type": "hardcoded",
            },
            {"numq": 5, "seed": 123, "temperature": 0.9, "type": "persona"},
        ],
        "max_concurrency": 50,
        "max_tokens": 150,
        "model_name": "Qwen/Qwen3-32B",
        "num_traj_per_stimulus": 5,
        "student_prompt": "user_prompt_v1",
        "teacher_prompt": "system_prompt_v1",
        "temperature": 1,
    }


def target(name: str = "coding_target", template: str = "default", **overrides: Any) -> dict[str, Any]:
    """Return the body that creates a target; without overrides, with those of the seed."""
    return {"target_name": name, "template": template, "overrides": overrides or seed_overrides()}


def made(template: str = "default", **overrides: Any) -> dict[str, Any]:
    """Return the body that makes or replaces a target by PUT, or previews one."""
    return {"template": template, "overrides": overrides}


def asking(content: str, path: str = "ask.txt") -> list[dict[str, Any]]:
    """Return generators that bring a question template."""
    return [{"type": "custom", "template_path": path, "template_content": content}]
