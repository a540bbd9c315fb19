"""rules/: recording and alerting rules, from model to each ruler's text."""
