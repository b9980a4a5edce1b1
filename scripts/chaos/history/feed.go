package history

// checkFeed: a consumer of the changes feed that stores what it is told under the
// key holds, at the end, what the nodes show: nothing is left out, and nothing
// stays that went. Events of a consumer that was not there to the end (it says so
// by a last event "caught_up") prove nothing.
func checkFeed(records []Record, out *Result) {
	type consumer struct {
		stored   map[string]string // "" is a deletion
		caughtUp bool
	}
	consumers := map[string]*consumer{}
	for i := range records {
		r := &records[i]
		if r.Op != OpEvent {
			continue
		}
		c := consumers[r.Client]
		if c == nil {
			c = &consumer{stored: map[string]string{}}
			consumers[r.Client] = c
		}
		if c.caughtUp = r.Code == CaughtUp; !c.caughtUp {
			value := r.Value
			if r.Absent {
				value = ""
			}
			c.stored[r.Key] = value
		}
	}
	ends := finals(records)
	for _, name := range sorted(consumers) {
		c := consumers[name]
		if !c.caughtUp {
			continue
		}
		for _, key := range sorted(ends) {
			for _, node := range sorted(ends[key]) {
				final := ends[key][node]
				shown := final.Value
				if final.Absent {
					shown = ""
				}
				stored, told := c.stored[key]
				out.Checked++
				switch {
				case !told && shown != "":
					out.finding("%s was never told of %s, which %s shows", name, key, node)
				case told && stored != shown:
					out.finding("%s holds %s as %s, and %s shows %s", name, key, word(stored), node, word(shown))
				}
			}
		}
	}
}

// CaughtUp is the code of a consumer's last event: all that was written before
// its end was seen.
const CaughtUp = "caught_up"
