"""Module 07, Run on Kubernetes: what a cluster is told, and what it does with it."""
