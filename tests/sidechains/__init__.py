"""Side chains: work beside the main line, plain and durable."""
