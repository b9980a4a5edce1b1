package ports

// Free is free, for the tests.
var Free = free
