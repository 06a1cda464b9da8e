"""What the pages of the dashboard show, as plain data: pure functions of logs, summaries and manifests."""
