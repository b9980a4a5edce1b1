package strictjson

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// The corpus, in the manner of JSONTestSuite: values put into `{"a":…}`. What
// RFC 8259 leaves open is decided by DESIGN 3.
func accepted() []string {
	return []string{
		`0`, `-0`, `-0.0`, `1`, `-1`, `10`, `123456789012345678901234567890`, `0.1`, `1.50`, `1E5`, `1e5`, `1e+5`, `1e-5`, `0e0`, `0e+999`,
		`0.0e999999999999999999999`, `1e308`, `1.7976931348623157e308`, `-1.7976931348623157e308`, `0.001e310`, `1e-400`, `1e-99999999999999999999`,
		`4.9e-324`, `1e00000000000000000001`, strings.Repeat("1", 308), `0.` + strings.Repeat("0", 400) + `1e700`,
		`""`, `"a"`, `" "`, "\"\x7f\"", `"\""`, `"\\"`, `"\/"`, `"/"`, `"\b\f\n\r\t"`, `"\u0000"`, `"\u00e9"`, `"\uD834\uDD1E"`, `"\ud834\udd1e"`,
		`"\\u0000"`, `"\\\\"`, `"é"`, `"日本語"`, `"𝄞"`, "\"\u2028\u2029\"", "\"\ufeff\"", `"\uFFFF"`, "\"\uffff\"", `"\ufffd"`, "\"\ufffd\"", `"a\u0062c"`,
		`"` + strings.Repeat("long ", 1000) + `"`, `"12345678"`, `"1234567\n"`, `"12345678\n"`,
		`true`, `false`, `null`, `[]`, `[ ]`, "[\n\t\r ]", `[[]]`, `[1,2,3]`, `[ 1 , 2 ]`, `[null,true,"x",{},[0]]`, `[[[[[[[[]]]]]]]]`,
		`{}`, `{ }`, `{"":0}`, `{"a":{"a":{"a":1}}}`, `{"A":1,"a":2}`, `{"a":1,"b":2}`, `{"a\u0000":1,"a":2}`, `{"\u00e9":1,"e\u0301":2}`, "{\n\"a\"\t:\r1 }",
		`[{"k":1},{"k":1}]`, `{"k":{"k":{"k":0}},"l":{"k":0}}`,
	}
}

func refused() []string {
	return []string{
		``, ` `, `,`, `:`, `]`, `}`, `[`, `{`, `"`, `\`, `'a'`, `a`, `.`, `-`, `+`, `e`, `é`,
		`00`, `01`, `-01`, `0x1`, `0b1`, `1_000`, `+1`, `--1`, `-`, `-a`, `.5`, `-.5`, `5.`, `5.e1`, `1.2.3`, `1e`, `1e+`, `1E-`, `1e1.5`, `1ee1`, `1e++1`,
		`0.e1`, `1 2`, `1,`, `Infinity`, `-Infinity`, `NaN`, `nan`, `１`, `1a`, `1e1a`, `0a`,
		`1e309`, `-1e309`, `1e400`, `1.7976931348623159e308`, `1e99999999999999999999`, `0.0001e99999`, `1` + strings.Repeat("0", 309), strings.Repeat("9", 309),
		`tru`, `truE`, `True`, `TRUE`, `truee`, `fals`, `falsee`, `nul`, `nulll`, `Null`, `undefined`, `none`,
		`"a`, `a"`, `"a"b`, `"\`, `"\"`, `"\a"`, `"\x41"`, `"\'"`, `"\0"`, `"\u"`, `"\u1"`, `"\u12"`, `"\u123"`, `"\u123g"`, `"\u-123"`, `"\U0041"`, `"\é"`,
		"\"\n\"", "\"\t\"", "\"\r\"", "\"\x00\"", "\"\x1f\"", "\"1234567\x01\"", "\"12345678\x01\"",
		`"\ud800"`, `"\udbff"`, `"\udc00"`, `"\udfff"`, `"\ud800\u"`, `"\ud800\u0041"`, `"\ud800\ud800"`, `"\udc00\ud800"`, `"\ud800 \udc00"`, `"\ud800\n"`, `"\ud834\\udd1e"`,
		"\"\xff\"", "\"\xc0\xaf\"", "\"\xc3\"", "\"\xe2\x82\"", "\"\xf4\x90\x80\x80\"", "\"\xed\xa0\x80\"", "\"\xed\xbf\xbf\"", "\"\xf0\x82\x82\xac\"", "\"\x80\"", "\xff",
		`[`, `[1`, `[1,`, `[1,]`, `[,1]`, `[,]`, `[1,,2]`, `[1 2]`, `[1:2]`, `[1}`, `[}`, `["a"`, `["a",`, `[]]`, `[[]`, "[\v]", "[\f1]", "[\u00a01]", "[\u20601]", `[1]x`,
		`{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `{,"a":1}`, `{"a"}`, `{"a",1}`, `{"a":}`, `{"a"::1}`, `{"a":1:2}`, `{"a":1,,"b":2}`,
		`{a:1}`, `{'a':1}`, `{1:1}`, `{null:1}`, `{[]:1}`, `{"a":1]`, `{]`, `{"a":1 "b":2}`, `{"a":1;"b":2}`, `{"a" "b"}`, `{}}`,
		`{"a":1,"a":1}`, `{"a":1,"b":2,"a":3}`, `{"a":1,"\u0061":1}`, `{"\u0041":1,"A":1}`, `{"\/":1,"/":1}`, `{"é":1,"\u00e9":1}`, `{"𝄞":1,"\ud834\udd1e":1}`,
		`[{"a":1,"a":1}]`, `{"x":{"":1,"":1}}`, `{"\n":1,"\u000a":1}`,
		`// x` + "\n1", `/* x */ 1`, `1 // x`, `#`, `<a>`, `(1)`, "\x00", "1\x00", "\ufeff1", `*`, "\u00a0", "\u2028", `[1,2,3`, `{"a":[}`, `[{]}`, `"\u00zz"`,
	}
}

// DESIGN 3: "The bytes of the body are kept and served as they came … duplicate
// keys, invalid UTF-8, lone surrogates, numbers outside a double's range, and
// more than 64 levels are refused".
func TestCorpus(t *testing.T) {
	t.Parallel()
	wrap := func(value string) []byte { return []byte(`{"w":` + value + `}`) }
	for _, value := range accepted() {
		body := wrap(value)
		if err := Check(body, Limits{}); err != nil {
			t.Errorf("refused %q: %v", body, err)
		}
		var out any
		if err := json.Unmarshal(body, &out); err != nil {
			t.Errorf("the corpus says that %q is sound: %v", body, err)
		}
	}
	for _, value := range refused() {
		body := wrap(value)
		err := Check(body, Limits{})
		if e, ok := errors.AsType[*Error](err); !ok || e.Line < 1 || e.Column < 1 || e.Reason == "" {
			t.Errorf("accepted %q, or without a place: %v", body, err)
		}
	}
}

// Every beginning of a sound document is refused, and none panics.
func TestEveryPrefixIsRefused(t *testing.T) {
	t.Parallel()
	body := []byte(`{"a":[1.5e3,-0,"\ud834\udd1e\\é",true,false,null,{"b":{}}],"c":""}`)
	if err := Check(body, Limits{}); err != nil {
		t.Fatal(err)
	}
	for i := range body {
		if Check(body[:i], Limits{}) == nil {
			t.Errorf("accepted %q", body[:i])
		}
	}
}
