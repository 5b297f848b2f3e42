"""What is read, checked and planned before anything is called."""
