// Emitters, handlers, dispatch: spec/admin-core.md 1.1, 1.2, 1.4, 1.5.
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { Emitter, offClass, onClass } from "../../../admin-core/model/events/emitter.ts";
import type { Handler } from "../../../admin-core/model/events/handler-table.ts";

/** Three classes of their own for a test, and a note of who ran. */
function setUp() {
	class Base extends Emitter {}
	class Middle extends Base {}
	class Leaf extends Middle {}
	const subject = new Leaf();
	subject.eventsEnabled = true;
	const ran: string[] = [];
	const note =
		(name: string): Handler<Emitter> =>
		() => {
			ran.push(name);
		};
	return { Base, Middle, Leaf, subject, ran, note };
}

test("a normal event goes from the base class to the instance, a pre-event the other way round", (t) => {
	const { Base, Middle, Leaf, subject, ran, note } = setUp();
	subject.addHandler("e", note("instance"));
	onClass(Leaf, "e", note("leaf"));
	onClass(Base, "e", note("base"));
	onClass(Middle, "e", note("middle"));
	subject.fire("e");
	t.deepEqual(ran.splice(0), ["base", "middle", "leaf", "instance"]);
	subject.fire("e", {}, { pre: true });
	t.deepEqual(ran, ["instance", "leaf", "middle", "base"]);
});

test("in one table handlers of the class come before those of plugins, in both directions, and else in the order they came", (t) => {
	const { Leaf, subject, ran, note } = setUp();
	onClass(Leaf, "e*", note("plugin 1"));
	onClass(Leaf, "*", note("class 1"), { bound: true });
	onClass(Leaf, "e", note("plugin 2"));
	onClass(Leaf, "e", note("class 2"), { bound: true });
	for (const pre of [false, true]) {
		subject.fire("e", {}, { pre });
		t.deepEqual(ran.splice(0), ["class 1", "class 2", "plugin 1", "plugin 2"]);
	}
});

test("handlers of a class run for derived classes and not for others", (t) => {
	const { Base, Middle, Leaf, ran, note } = setUp();
	onClass(Middle, "e", note("middle"));
	for (const Class of [Base, Middle, Leaf]) {
		const one = new Class();
		one.eventsEnabled = true;
		one.fire("e");
	}
	t.deepEqual(ran, ["middle", "middle"]);
});

test("a handler of an instance runs for that instance only, until it is removed", (t) => {
	const { Leaf, subject, ran, note } = setUp();
	const other = new Leaf();
	other.eventsEnabled = true;
	const handler = note("one");
	subject.addHandler("*", handler);
	subject.fire("e");
	other.fire("e");
	t.deepEqual(ran, ["one"]);
	subject.removeHandler("*", handler);
	subject.fire("e");
	t.deepEqual(ran, ["one"]);
	t.throws(() => subject.removeHandler("*", handler), { message: 'no such handler for "*"' });
	t.throws(() => offClass(Leaf, "e", handler), { message: 'no such handler for "e"' });
});

test("one handler under two patterns runs twice, twice under one pattern once", (t) => {
	const { Leaf, subject, ran, note } = setUp();
	const handler = note("one");
	for (const pattern of ["e", "e*", "e"]) onClass(Leaf, pattern, handler);
	subject.fire("e");
	t.deepEqual(ran, ["one", "one"]);
	offClass(Leaf, "e", handler);
	subject.fire("e");
	t.is(ran.length, 3);
});

test("with events off nothing runs and there are no effects", async (t) => {
	const { subject, ran, note } = setUp();
	subject.addHandler("e", note("one"));
	subject.eventsEnabled = false;
	t.deepEqual(subject.fire("e"), []);
	t.deepEqual(await subject.fireAsync("e"), []);
	t.deepEqual(ran, []);
});

test("a handler gets the subject, the concrete name, and the arguments in their order", (t) => {
	const { subject } = setUp();
	t.plan(3);
	subject.addHandler("property-set:*", (given, event, args) => {
		t.is(given, subject);
		t.is(event, "property-set:netvm");
		t.deepEqual(Object.entries(args), [
			["name", "netvm"],
			["newvalue", null],
		]);
	});
	subject.fire("property-set:netvm", { name: "netvm", newvalue: null });
});

/** What a handler gives and what it counts as. */
function counts(title: string, given: () => unknown, effects: unknown[]): void {
	test(`effects: ${title}`, (t) => {
		const { subject } = setUp();
		subject.addHandler("e", () => given());
		t.deepEqual(subject.fire("e"), effects);
	});
}
counts("nothing", () => undefined, []);
counts("null", () => null, []);
counts("a list adds its elements", () => ["a", "b"], ["a", "b"]);
counts("an empty list adds none", () => [], []);
counts("a list of lists adds lists", () => [["a"]], [["a"]]);
counts("a set", () => new Set([1, 2]), [1, 2]);
counts("a map adds its keys", () => new Map([["k", "v"]]), ["k"]);
counts("a text adds its characters", () => "abc", ["a", "b", "c"]);
counts("an empty text adds none", () => "", []);
counts(
	"a generator runs at once",
	function* () {
		yield 1;
		yield 2;
	},
	[1, 2],
);

for (const value of [1, true, {}, Promise.resolve()]) {
	test(`effects: ${String(value)} is no list of them`, (t) => {
		const { subject } = setUp();
		subject.addHandler("e", () => value);
		t.throws(() => subject.fire("e"), { instanceOf: TypeError, message: /gives what is no list of effects for "e"/ });
	});
}

test("the first handler that throws ends the walk, and what it throws reaches whoever fired", (t) => {
	const { Base, Leaf, subject, ran, note } = setUp();
	onClass(Base, "e", note("before"));
	onClass(Leaf, "e", () => {
		throw new RangeError("no");
	});
	subject.addHandler("e", note("after"));
	t.throws(() => subject.fire("e"), { instanceOf: RangeError });
	t.deepEqual(ran, ["before"]);
});

test("fired synchronously, an asynchronous handler is an error after all others have run, and does not run itself", (t) => {
	const { Base, subject, ran, note } = setUp();
	onClass(Base, "e", async function slow() {
		ran.push("slow");
	});
	subject.addHandler("e", note("instance"));
	t.throws(() => subject.fire("e"), { message: /asynchronous handlers for "e".*slow of "e"/ });
	t.deepEqual(ran, ["instance"]);
});

test("fired asynchronously, synchronous handlers run first, then the others at once, and all effects are there in order", async (t) => {
	const { Base, Leaf, subject, ran, note } = setUp();
	let running = 0;
	const slow = (name: string, milliseconds: number) => async () => {
		running++;
		await sleep(milliseconds);
		t.is(running, 2, "they do not wait for each other");
		ran.push(name);
		return [name];
	};
	onClass(Base, "e", slow("first", 20));
	onClass(Leaf, "e", slow("second", 5));
	subject.addHandler("e", note("sync"));
	subject.addHandler("e", () => ["effect"]);
	t.deepEqual(await subject.fireAsync("e"), ["effect", "first", "second"]);
	t.deepEqual(ran, ["sync", "second", "first"]);
});

test("when an asynchronous handler fails, the others are waited for before it is thrown", async (t) => {
	const { subject, ran } = setUp();
	subject.addHandler("e", async () => {
		throw new RangeError("no");
	});
	subject.addHandler("e", async () => {
		await sleep(10);
		ran.push("slow");
	});
	await t.throwsAsync(subject.fireAsync("e"), { instanceOf: RangeError });
	t.deepEqual(ran, ["slow"]);
});

test("when a synchronous handler throws, asynchronous ones do not run", async (t) => {
	const { subject, ran } = setUp();
	subject.addHandler("e", async () => {
		ran.push("async");
	});
	subject.addHandler("e", () => {
		throw new RangeError("no");
	});
	await t.throwsAsync(subject.fireAsync("e"), { instanceOf: RangeError });
	await sleep(5);
	t.deepEqual(ran, []);
});

test("a function that returns a promise is asynchronous if it is registered so", async (t) => {
	const { subject } = setUp();
	subject.addHandler("e", () => Promise.resolve(["late"]), { async: true });
	t.deepEqual(await subject.fireAsync("e"), ["late"]);
});

test("handlers that come later are found for names that were fired before, also among a thousand patterns", (t: ExecutionContext) => {
	const { Leaf, subject, ran, note } = setUp();
	for (let i = 0; i < 1000; i++) onClass(Leaf, `event-${i}:*`, note(String(i)));
	subject.fire("event-7:x");
	onClass(Leaf, "event-7:[xy]", note("new"));
	subject.fire("event-7:x");
	subject.fire("event-8");
	t.deepEqual(ran, ["7", "7", "new"]);
});
