"""Tests in a real browser. They are a package, so that the browser is closed before the tests of other folders run."""
