"""Fixtures of the quickstart's test."""

import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / 'api'), str(TESTS / 'webhooks')]  # running.py, calls.py, receiver.py
