"""Pictures of workflows: their layout, their formats, and how their nodes stand in a run."""
