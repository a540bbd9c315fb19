"""Instrumentation of web applications, and their endpoints."""
