"""Kubernetes for the service: its image, its manifests, and a rollout that loses no request."""
