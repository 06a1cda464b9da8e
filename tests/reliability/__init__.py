"""What survives: killed processes, broken disks, stopped clocks, two writers, and leaves that misbehave."""
