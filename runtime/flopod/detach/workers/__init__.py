"""What the worker driver is made of: payloads, the pool, and a worker process at both ends of its pipe."""
