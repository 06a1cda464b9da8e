"""Tests of the dashboard: its view models, its pages, and pages in a browser."""
