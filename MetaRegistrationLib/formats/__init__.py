"""Reading and writing of files: images of every format, landmarks, tables; complete or not at all."""
