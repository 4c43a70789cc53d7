"""What targets are, as pure functions: names, resolution, differences, YAML. No git, storage or HTTP."""
