"""Real answers of every operation, for the API page: `app/answers.json`."""
