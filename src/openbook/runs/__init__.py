"""The run folder: written by training, read by everybody else."""

from openbook.runs.finding import damaged_runs, find_run, list_runs
from openbook.runs.names import runs_folder
from openbook.runs.run import Run

__all__ = ["Run", "damaged_runs", "find_run", "list_runs", "runs_folder"]
