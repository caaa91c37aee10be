"""GradBench's evals, and the tool that its programs talk to (`python -m benchmarks.gradbench`)."""
