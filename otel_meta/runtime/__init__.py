"""What happens in a process: recording, exporting, logging and keeping count of SLOs."""
