doctor --profile server
