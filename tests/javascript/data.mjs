// A module that a test imports.

export const answer = 42;
