"""Pages of the workbench: each parses what was sent, calls one act, and shows what came back."""
