list axis
