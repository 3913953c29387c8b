"""Search over a code set in memory: words, an inverted index of bitsets, vocabulary, ranking."""
