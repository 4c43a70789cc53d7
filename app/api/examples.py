"""Examples of request bodies, for `/openapi.json`; the API page fills in the same ones."""

from typing import Any

Example = dict[str, Any]

_OVERRIDES: Example = {
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
_MESSAGES = [
    {"role": "system", "content": "You are a careful programmer."},
    {"role": "user", "content": "Reverse a string."},
]

CREATE_REPO: Example = {"repo_name": "demo", "base_model": "Qwen/Qwen3-32B"}
UNDELETE: Example = {"name": "demo"}
RENAME: Example = {"name": "nightly"}
TRANSFER: Example = {"user_id": "bob"}
CREATE_TARGET: Example = {
    "target_name": "coding_target",
    "template": "default",
    "overrides": _OVERRIDES,
}
PUT_TARGET: Example = {"template": "coding_target", "overrides": {"temperature": 0.7}}
TARGET_BATCH: Example = {
    "targets": [
        {"target_name": "base_target", "template": "default", "overrides": {"max_tokens": 150}},
        {"target_name": "bold_target", "template": "base_target", "overrides": {"temperature": 1.5}},
    ]
}
PREVIEW: Example = PUT_TARGET
REBASE: Example = {"dry_run": True, "descendants": True}
REVERT: Example = {"to": "main"}
CREATE_TAG: Example = {"name": "release-1", "message": "What the nightly run of November uses"}
PUT_LABEL: Example = {"ref": "main", "reason": "The nightly run of Monday passed"}
PUT_DEFAULT: Example = {"config": {"model_name": "Qwen/Qwen3-32B", "temperature": 0.7, "generators": []}}
CREATE_PROMPT: Example = {"prompt_name": "system_prompt_v1", "messages": _MESSAGES}
PUT_PROMPT: Example = {"messages": _MESSAGES}
PROMPT_BATCH: Example = {"prompts": {"system_prompt_v1": _MESSAGES, "user_prompt_v1": _MESSAGES[1:]}}
PUT_GRANT: Example = {"access": "read"}
CREATE_USER: Example = {"user_id": "alice", "user_alias": "Alice", "user_email": "alice@example.org"}
PATCH_USER: Example = {"user_alias": "Alice B.", "user_email": None}
CREATE_TOKEN: Example = {
    "name": "nightly",
    "access": "read",
    "repos": ["demo"],
    "expires_at": "2099-12-31T23:59:59Z",
}
CREATE_OWN_TOKEN: Example = {**CREATE_TOKEN, "name": "nightly-reader"}
