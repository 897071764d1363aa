// Tags and labels: spec/admin-core.md 4.1, 4.2.
import test from "ava";
import { Emitter } from "../../../admin-core/model/events/emitter.ts";
import { DEFAULT_LABELS, Labels } from "../../../admin-core/model/labels.ts";
import { Tags } from "../../../admin-core/model/tags.ts";

class Subject extends Emitter {
	override eventsEnabled = true;
	readonly name = "work";
	readonly tags = new Tags(this);
}

function watched(): { subject: Subject; tags: Tags; fired: string[] } {
	const subject = new Subject();
	const fired: string[] = [];
	subject.addHandler("*", (_subject, event, args) => {
		fired.push(`${event} ${JSON.stringify(args)}`);
	});
	return { subject, tags: subject.tags, fired };
}

test("a tag is added and removed once, with an event each", (t) => {
	const { tags, fired } = watched();
	tags.add("b");
	tags.add("b");
	tags.update(["a", "b"]);
	t.deepEqual(tags.list(), ["a", "b"]);
	tags.remove("b");
	tags.discard("b");
	t.deepEqual(fired, ['domain-tag-add:b {"tag":"b"}', 'domain-tag-add:a {"tag":"a"}', 'domain-tag-delete:b {"tag":"b"}']);
	tags.clear();
	t.deepEqual(tags.list(), []);
});

for (const tag of ["", "a b", "ä", "a.b", "a:b", "a/b", "a\n"]) {
	test(`${JSON.stringify(tag)} is no tag`, (t) => {
		const { tags, fired } = watched();
		t.like(
			t.throws(() => tags.add(tag)),
			{ kind: "QubesInvalidTagError" },
		);
		t.deepEqual(fired, []);
	});
}

test("removing a tag that is not there is an error", (t) => {
	const { tags } = watched();
	t.like(
		t.throws(() => tags.remove("x")),
		{ kind: "QubesTagNotFoundError", message: "Tag not set for domain work: x" },
	);
});

test("what a handler throws undoes the change", (t) => {
	const { subject, tags } = watched();
	tags.add("kept");
	subject.addHandler("domain-tag-*", () => {
		throw new RangeError("no");
	});
	t.throws(() => tags.add("new"), { instanceOf: RangeError });
	t.throws(() => tags.remove("kept"), { instanceOf: RangeError });
	t.deepEqual(tags.list(), ["kept"]);
});

test("a label is found by its name, and by its index as text", (t) => {
	const labels = new Labels([...DEFAULT_LABELS, { index: 9, name: "pink", color: "0xff00ff" }]);
	t.is(labels.find("pink").index, 9);
	t.is(labels.find("9").name, "pink");
	for (const name of ["10", "Pink", "", "-1", "1.0"]) {
		t.like(
			t.throws(() => labels.find(name)),
			{ kind: "QubesLabelNotFoundError", message: `Label does not exist: ${name}` },
		);
	}
});

test("a new label comes behind all others and behind the first eight", (t) => {
	const labels = new Labels([]);
	t.like(labels.create("pink", " 0xff00ff\n"), { index: 9, name: "pink", color: "0xff00ff" });
	t.is(labels.create("teal", "0x00FFff").index, 10);
	labels.remove("pink");
	t.is(labels.create("mint", "0x00ff00").index, 11);
	t.deepEqual(
		labels.list().map(({ name }) => name),
		["teal", "mint"],
	);
});

for (const [name, color, kind] of [
	["", "0xff00ff", "QubesInvalidLabelError"],
	["a b", "0xff00ff", "QubesInvalidLabelError"],
	["ä", "0xff00ff", "QubesInvalidLabelError"],
	["12", "0xff00ff", "QubesInvalidLabelError"],
	["pink", "#ff00ff", "QubesInvalidLabelValueError"],
	["pink", "0xff00f", "QubesInvalidLabelValueError"],
	["pink", "0xff00fg", "QubesInvalidLabelValueError"],
	["pink", "", "QubesInvalidLabelValueError"],
	["red", "0xff00ff", "QubesLabelInUseError"],
] as const) {
	test(`no label ${JSON.stringify(name)} of colour ${JSON.stringify(color)} is made: ${kind}`, (t) => {
		const labels = new Labels();
		t.like(
			t.throws(() => labels.create(name, color)),
			{ kind },
		);
		t.is(labels.list().length, 8);
	});
}

test("one of the first eight labels cannot be removed", (t) => {
	const labels = new Labels();
	t.like(
		t.throws(() => labels.remove("red")),
		{ kind: "ProtocolError", message: "Can only remove custom labels" },
	);
	t.like(
		t.throws(() => labels.remove("nosuch")),
		{ kind: "QubesLabelNotFoundError" },
	);
});
