"""Renderings: pure functions from evidence to text, diagrams and pages."""
