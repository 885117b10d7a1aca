"""Models of what is usual, fitted with a library; checks read the bands that they write."""
