"""Servers as processes of their own: linked, started, killed, started again."""
