"""What stands between the runner and the network."""
