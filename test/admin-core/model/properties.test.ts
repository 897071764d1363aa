// Properties of any holder: spec/admin-core.md 3.1 to 3.4.
import test from "ava";
import { declareProperties, PropertyHolder } from "../../../admin-core/model/properties/holder.ts";
import {
	boolProperty,
	computedProperty,
	formatValue,
	intProperty,
	textProperty,
	type Value,
} from "../../../admin-core/model/properties/property.ts";

class Base extends PropertyHolder {
	override eventsEnabled = true;
	readonly holderName = "box";
}
class Derived extends Base {}

declareProperties<Base>(Base, [
	textProperty("name", { writeOnce: true, clone: false, doc: "" }),
	textProperty("color", { default: "red", doc: "" }),
	intProperty("size", { stage: 4, doc: "" }),
	intProperty("double", { default: (box) => Number(box.get("size") ?? 0) * 2, doc: "" }),
	boolProperty("open", { default: false, doc: "" }),
	computedProperty<Base>("shape", "str", "", () => "square"),
	textProperty("note", { default: null, doc: "" }),
]);
declareProperties<Derived>(Derived, [textProperty("color", { default: "blue", doc: "" }), textProperty("extra", { doc: "" })]);

function watched(): { box: Derived; fired: string[] } {
	const box = new Derived();
	const fired: string[] = [];
	box.addHandler("*", (_box, event, args) => {
		fired.push(`${event} ${JSON.stringify(args)}`);
	});
	return { box, fired };
}

test("properties are listed by stage and name, those of a derived class with the inherited ones, which they replace", (t) => {
	const names = (box: Base) => box.properties().map(({ name }) => name);
	t.deepEqual(names(new Base()), ["color", "double", "name", "note", "open", "shape", "size"]);
	t.deepEqual(names(new Derived()), ["color", "double", "extra", "name", "note", "open", "shape", "size"]);
	t.is(new Base().get("color"), "red");
	t.is(new Derived().get("color"), "blue");
});

test("a property that does not exist is an error that names the holder", (t) => {
	const { box } = watched();
	for (const attempt of [() => box.get("x"), () => box.set("x", 1), () => box.reset("x"), () => box.getDefault("x")]) {
		t.like(t.throws(attempt), { kind: "QubesNoSuchPropertyError", message: "Invalid property 'x' of box" });
	}
	t.false(box.hasProperty("x"));
});

test("without a default a property that is not set has no value; a default may be none, or depend on others", (t) => {
	const { box } = watched();
	t.is(box.get("size"), undefined);
	t.is(box.get("note"), null);
	t.is(box.get("double"), 0);
	box.set("size", 4);
	t.is(box.get("double"), 8);
	t.true(box.isDefault("double"));
	box.set("double", 8);
	t.false(box.isDefault("double"), "also where it is the same as the default");
	t.is(box.getDefault("double"), 8);
});

test("setting fires the pre-event and the event, with the value in force before", (t) => {
	const { box, fired } = watched();
	box.set("color", "green");
	box.set("size", "4");
	t.deepEqual(fired, [
		'property-pre-set:color {"name":"color","newvalue":"green","oldvalue":"blue"}',
		'property-set:color {"name":"color","newvalue":"green","oldvalue":"blue"}',
		'property-pre-set:size {"name":"size","newvalue":4}',
		'property-set:size {"name":"size","newvalue":4}',
	]);
});

test("resetting fires four events, also where the property was default", (t) => {
	const { box, fired } = watched();
	box.set("color", "green");
	fired.length = 0;
	box.reset("color");
	const events = ["property-pre-reset:color", "property-pre-del:color", "property-reset:color", "property-del:color"];
	t.deepEqual(
		fired,
		events.map((event) => `${event} {"name":"color","oldvalue":"green"}`),
	);
	t.is(box.get("color"), "blue");
	fired.length = 0;
	box.reset("size");
	t.is(fired.length, 4);
});

for (const [event, attempt] of [
	["property-pre-set:color", (box: Base) => box.set("color", "green")],
	["property-pre-reset:color", (box: Base) => box.reset("color")],
	["property-pre-del:color", (box: Base) => box.reset("color")],
] as const) {
	test(`what a handler of ${event} throws prevents it`, (t) => {
		const { box } = watched();
		box.set("color", "old");
		box.addHandler(event, () => {
			throw new RangeError("veto");
		});
		t.throws(() => attempt(box), { instanceOf: RangeError });
		t.is(box.get("color"), "old");
	});
}

for (const [event, attempt] of [
	["property-set:color", (box: Base) => box.set("color", "green")],
	["property-reset:color", (box: Base) => box.reset("color")],
	["property-del:color", (box: Base) => box.reset("color")],
] as const) {
	for (const before of ["old", null]) {
		test(`what a handler of ${event} throws undoes it, where color was ${before ?? "default"}`, (t) => {
			const { box } = watched();
			if (before !== null) box.set("color", before);
			box.addHandler(event, () => {
				throw new RangeError("no");
			});
			t.throws(() => attempt(box), { instanceOf: RangeError });
			t.deepEqual(box.explicitValues(), before === null ? [] : [["color", before]]);
		});
	}
}

test("what can be set once can be set once, and not be reset then; what is computed never", (t) => {
	const { box } = watched();
	box.set("name", "a");
	for (const attempt of [() => box.set("name", "b"), () => box.reset("name")]) {
		t.like(t.throws(attempt), {
			kind: "QubesPropertyValueError",
			message: "property 'name' on Derived instance is set already and cannot be changed",
		});
	}
	for (const attempt of [() => box.set("shape", "round"), () => box.reset("shape")]) {
		t.like(t.throws(attempt), { kind: "QubesPropertyValueError", message: "property 'shape' on Derived instance cannot be set" });
	}
	t.is(box.get("name"), "a");
});

for (const [text, value] of [
	["1", true],
	["yes", true],
	["TRUE", true],
	["On", true],
	["0", false],
	["no", false],
	["False", false],
	["OFF", false],
] as const) {
	test(`"${text}" is ${value} for a property that is yes or no`, (t) => {
		const { box } = watched();
		box.set("open", text);
		t.is(box.get("open"), value);
	});
}

for (const [name, given, kind] of [
	["open", "", "QubesValueError"],
	["open", "maybe", "QubesValueError"],
	["size", "x", "QubesPropertyValueError"],
	["size", "", "QubesPropertyValueError"],
	["size", "1.5", "QubesPropertyValueError"],
	["size", 1.5, "QubesPropertyValueError"],
	["size", null, "QubesPropertyValueError"],
	["size", "0x10", "QubesPropertyValueError"],
] as const) {
	test(`${JSON.stringify(given)} is no value of ${name}: ${kind}, and nothing is fired`, (t) => {
		const { box, fired } = watched();
		t.like(
			t.throws(() => box.set(name, given)),
			{ kind },
		);
		t.deepEqual(fired, []);
	});
}

test("while events are off nothing is fired, and nobody is asked for the old value", (t) => {
	const { box, fired } = watched();
	box.eventsEnabled = false;
	box.set("color", "green");
	box.reset("color");
	t.deepEqual(fired, []);
});

test("cloning takes over what was set, but for what belongs to one holder only, with one event", (t) => {
	const [from, to] = [watched(), watched()];
	from.box.set("name", "a");
	from.box.set("color", "green");
	from.box.set("size", 4);
	to.fired.length = 0;
	to.box.cloneProperties(from.box);
	t.deepEqual(to.box.explicitValues(), [
		["color", "green"],
		["size", 4],
	]);
	t.is(to.fired.length, 1);
	t.regex(to.fired[0] ?? "", /^clone-properties .*"proplist":\["color","double","extra","note","open","shape","size"\]/);
});

for (const [value, text] of [
	[null, ""],
	[true, "True"],
	[false, "False"],
	[15, "15"],
	["a b", "a b"],
	[{ wireName: "work" }, "work"],
] as readonly (readonly [Value, string])[]) {
	test(`${JSON.stringify(value)} is written ${JSON.stringify(text)}`, (t) => t.is(formatValue(value), text));
}
