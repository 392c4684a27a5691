"""What notebooks and the lab of module 11 try their objects on."""
