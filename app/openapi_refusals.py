"""What `/openapi.json` says of refused requests: why, and an example, for each status."""

# Of each status: why a request is refused, and an example of the message.
REFUSALS = {
    **dict.fromkeys((301, 308), ("The repo has another name now.", "Repo 'demo' is now 'nightly'.")),
    400: ("A header cannot be used, or the body broke off.", "The header X-User-Id must not contain '..'."),
    401: ("No token, or one that is unknown, expired or revoked.", "This token is unknown, or was revoked."),
    402: (
        "The run used as many tokens as the operator allows.",
        "The run used 1000012 tokens, and BAKEHOUSE_RUN_BUDGET allows 1000000. Ask the operator to raise it.",
    ),
    403: ("The token may not do this.", "The token 'nightly' is for reading only."),
    404: ("There is no such resource.", "Repo 'demo' not found"),
    408: ("The body came too slowly.", "The body came too slowly, and other requests wait."),
    409: (
        "The request contradicts what is stored.",
        "Target 'coding_target' already exists with different configuration. Use PUT to replace it, "
        "or choose another name.",
    ),
    412: (
        "The current version is not one that If-Match or If-None-Match allows.",
        "'coding_target' does not exist, which the request's If-Match or If-None-Match rules out",
    ),
    413: (
        "The body is larger than the server takes.",
        "The body is larger than 8388608 bytes, which is the most that this server takes.",
    ),
    429: (
        "The token is used more often than the server allows.",
        "A token may be used 600 times a minute here; try again in 1 second.",
    ),
    503: (
        "The storage does not answer, or a repository is damaged.",
        "Repository 'demo' is damaged: repo.yml is missing",
    ),
}
_LOCATION = ["body", "overrides", "generators", 0, "numq"]
MISTAKES = (
    "The request breaks this contract; every mistake is listed.",
    {"detail": [{"loc": _LOCATION, "msg": "This must be a whole number", "type": "int_type"}]},
)
