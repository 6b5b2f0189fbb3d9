"""What is read from files and written into them: images of every format, landmarks, tables; whole or not at all."""
