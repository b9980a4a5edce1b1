package script

import "context"

// RunTests runs the script's tests one by one, each from the same beginning. A
// test that fails is no error.
func RunTests(ctx context.Context, e Evaluator, s *Script) ([]*TestResult, error) {
	var out []*TestResult
	for _, name := range s.tests {
		r, err := e.Test(ctx, s, name)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}
