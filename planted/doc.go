// Package planted holds named bugs for testing the tests.
//
// Each is a bug of this field, put back at the place of the rule that
// prevents it. A build without the tag `planted` has none of them: On is the
// constant false there, and the compiler drops the branch. A build with the
// tag has at most one, chosen at the start by SYNCLINE_PLANT or by a test.
package planted
