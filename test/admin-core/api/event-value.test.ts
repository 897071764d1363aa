// The text of values in events: spec/admin-core.md 7.5. What Python writes was asked of Python 3.
import test from "ava";
import { formatEventValue } from "../../../admin-core/api/event-value.ts";

function formats(value: unknown, wanted: string) {
	test(`${JSON.stringify(wanted)} is the text of its value`, (t) => {
		t.is(formatEventValue(value), wanted);
	});
}

class Plain {
	toString(): string {
		return "plain";
	}
}

class Port {
	get wireName(): string {
		return "sys-usb:1-1";
	}
}

formats(null, "None");
formats(true, "True");
formats(false, "False");
formats(0, "0");
formats(-12, "-12");
formats(123n, "123");
formats("", "");
formats('it\'s "ü"\n', 'it\'s "ü"\n');
formats({ wireName: "work" }, "work");
formats(new Port(), "sys-usb:1-1");
formats(new Plain(), "plain");
formats({}, "{}");
formats({ a: "b" }, "{'a': 'b'}");
formats({ a: "b", c: "d e" }, "{'a': 'b', 'c': 'd e'}");
formats(new Map([["x", "y"]]), "{'x': 'y'}");
formats(Object.assign(Object.create(null), { n: "v" }), "{'n': 'v'}");
formats({ a: null, b: true, c: 7, d: { e: [] } }, "{'a': None, 'b': True, 'c': 7, 'd': {'e': []}}");
formats([{ wireName: "work" }, "x"], "['work', 'x']");
formats({ a: "it's" }, `{'a': "it's"}`);
formats({ a: '"' }, `{'a': '"'}`);
formats({ a: `'"` }, `{'a': '\\'"'}`);
formats({ a: "back\\slash" }, "{'a': 'back\\\\slash'}");
formats({ a: "\n\r\t" }, "{'a': '\\n\\r\\t'}");
formats({ a: "\0\x1b\x7f\x85\xa0\xad" }, "{'a': '\\x00\\x1b\\x7f\\x85\\xa0\\xad'}");
formats({ é: "ü €😀" }, "{'é': 'ü €😀'}");
formats({ a: "\u200b\u2028\u3000\ue000\ufeff" }, "{'a': '\\u200b\\u2028\\u3000\\ue000\\ufeff'}");
formats({ a: "\u{e0001}" }, "{'a': '\\U000e0001'}");
formats({ a: "\ud800" }, "{'a': '\\ud800'}");

test("what is not set is None", (t) => {
	t.is(formatEventValue(undefined), "None");
});
