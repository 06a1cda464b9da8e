"""Tests of workflows: a virtual clock, scripted leaves, crashes. For pytest there is a fixture `flopod`."""

from flopod.testing.calls import Call, Leaf
from flopod.testing.enginerun import EngineRun
from flopod.testing.errors import Mismatch, TestFailure
from flopod.testing.harness import Flopod
from flopod.testing.plain import PlainRun
from flopod.testing.run import Run
from flopod.testing.script import never, raises, real, returns, takes
from flopod.testing.virtual import VirtualEngine

__all__ = [
    "Call",
    "EngineRun",
    "Flopod",
    "Leaf",
    "Mismatch",
    "PlainRun",
    "Run",
    "TestFailure",
    "VirtualEngine",
    "never",
    "raises",
    "real",
    "returns",
    "takes",
]
