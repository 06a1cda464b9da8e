"""The project as one whole: what each module says by itself, and what an analysis may ask about them all."""

from flopod_compiler.program.answers import Answers
from flopod_compiler.program.outline import Outline
from flopod_compiler.program.program import Program
from flopod_compiler.program.sources import Sources
from flopod_compiler.program.trace import Question, Trace

__all__ = ["Answers", "Outline", "Program", "Question", "Sources", "Trace"]
