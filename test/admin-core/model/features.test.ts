// Features: spec/admin-core.md 2, with the decisions 12 and 13 of section 12.
import test from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import { Emitter } from "../../../admin-core/model/events/emitter.ts";
import { type FeatureSubject, Features } from "../../../admin-core/model/features.ts";

type Relations = { readonly template?: Subject; readonly netvm?: Subject; readonly dom0?: Subject };

class Subject extends Emitter implements FeatureSubject {
	readonly features: Features = new Features(this);
	override eventsEnabled = true;
	readonly name: string;
	private readonly relations: Relations;

	constructor(name: string, relations: Relations = {}) {
		super();
		this.name = name;
		this.relations = relations;
	}

	related(property: "template" | "netvm"): Subject | null {
		return this.relations[property] ?? null;
	}

	adminvm(): Subject {
		if (this.name === "dom0") return this;
		if (this.relations.dom0 === undefined) throw new AdminError("QubesVMNotFoundError", "No such domain: 'dom0'");
		return this.relations.dom0;
	}
}

/** A qube whose events are written down. */
function watched(): { subject: Subject; fired: string[] } {
	const subject = new Subject("work");
	const fired: string[] = [];
	subject.addHandler("*", (_subject, event, args) => {
		fired.push(`${event} ${JSON.stringify(args)}`);
	});
	return { subject, fired };
}

for (const [value, text] of [
	[null, ""],
	[undefined, ""],
	[true, "1"],
	[false, ""],
	[0, "0"],
	[15, "15"],
	["", ""],
	["x y", "x y"],
] as const) {
	test(`${JSON.stringify(value)} is kept as ${JSON.stringify(text)}`, (t) => {
		const { subject } = watched();
		subject.features.set("f", value);
		t.is(subject.features.get("f"), text);
	});
}

test("setting fires the pre-event and the event, with the old value only where there was one", (t) => {
	const { subject, fired } = watched();
	subject.features.set("f", 1);
	subject.features.set("f", 1);
	t.deepEqual(fired, [
		'domain-feature-pre-set:f {"feature":"f","value":"1"}',
		'domain-feature-set:f {"feature":"f","value":"1"}',
		'domain-feature-pre-set:f {"feature":"f","value":"1","oldvalue":"1"}',
		'domain-feature-set:f {"feature":"f","value":"1","oldvalue":"1"}',
	]);
});

test("removing fires the pre-event and the event", (t) => {
	const { subject, fired } = watched();
	subject.features.set("f", 1);
	fired.length = 0;
	subject.features.delete("f");
	t.deepEqual(fired, ['domain-feature-pre-delete:f {"feature":"f"}', 'domain-feature-delete:f {"feature":"f"}']);
	t.false(subject.features.has("f"));
});

test("removing what is unset is an error before anybody is told", (t) => {
	const { subject, fired } = watched();
	t.like(
		t.throws(() => subject.features.delete("f")),
		{ kind: "QubesFeatureNotFoundError", message: "Feature not set for domain work: f" },
	);
	t.deepEqual(fired, []);
});

for (const event of ["domain-feature-pre-set:f", "domain-feature-set:f"]) {
	test(`what a handler of ${event} throws leaves everything as it was`, (t) => {
		const { subject } = watched();
		subject.features.set("g", "old");
		for (const name of ["f", "g"]) {
			subject.addHandler(event.replace(":f", `:${name}`), () => {
				throw new RangeError("veto");
			});
			t.throws(() => subject.features.set(name, "new"), { instanceOf: RangeError });
		}
		t.deepEqual(subject.features.entries(), [["g", "old"]]);
	});
}

test("what a handler of domain-feature-pre-delete:* throws prevents it", (t) => {
	const { subject } = watched();
	subject.features.set("f", 1);
	subject.addHandler("domain-feature-pre-delete:*", () => {
		throw new RangeError("veto");
	});
	t.throws(() => subject.features.delete("f"), { instanceOf: RangeError });
	t.is(subject.features.get("f"), "1");
});

test("what a handler of domain-feature-delete:* throws undoes it, in its old place", (t) => {
	const { subject } = watched();
	for (const name of ["a", "f", "z"]) subject.features.set(name, name);
	subject.addHandler("domain-feature-delete:f", () => {
		throw new RangeError("no");
	});
	t.throws(() => subject.features.delete("f"), { instanceOf: RangeError });
	t.deepEqual(subject.features.entries(), [
		["a", "a"],
		["f", "f"],
		["z", "z"],
	]);
});

test("while events are off everything works silently", (t) => {
	const { subject, fired } = watched();
	subject.eventsEnabled = false;
	subject.features.update([
		["b", 1],
		["a", null],
	]);
	t.deepEqual(subject.features.entries(), [
		["b", "1"],
		["a", ""],
	]);
	subject.features.clear();
	t.deepEqual(subject.features.entries(), []);
	t.deepEqual(fired, []);
});

test("clear removes one by one, with events", (t) => {
	const { subject, fired } = watched();
	subject.features.update(
		new Map([
			["a", 1],
			["b", 2],
		] as const),
	);
	fired.length = 0;
	subject.features.clear();
	t.deepEqual(
		fired.map((line) => line.split(" ")[0]),
		["domain-feature-pre-delete:a", "domain-feature-delete:a", "domain-feature-pre-delete:b", "domain-feature-delete:b"],
	);
});

for (const method of ["pop", "popItem", "setDefault"] as const) {
	test(`there is no ${method}`, (t) => {
		const { subject } = watched();
		t.like(
			t.throws(() => subject.features[method]()),
			{ kind: "QubesNotImplementedError" },
		);
	});
}

/** A disposable of an app qube of a template, behind two net qubes, and dom0; `at` sets feature `f` of some of them. */
function chain(at: { readonly [name: string]: string }): Subject {
	const dom0 = new Subject("dom0");
	const template = new Subject("template", { dom0 });
	const app = new Subject("app", { template, dom0 });
	const outer = new Subject("outer", { dom0 });
	const inner = new Subject("inner", { netvm: outer, dom0 });
	const disposable = new Subject("disp", { template: app, netvm: inner, dom0 });
	for (const qube of [dom0, template, app, outer, inner, disposable]) {
		const value = at[qube.name];
		if (value !== undefined) qube.features.set("f", value);
	}
	return disposable;
}

const EVERYWHERE = { disp: "own", app: "a", template: "t", inner: "i", outer: "o", dom0: "0" };
for (const [method, order] of [
	["checkWithTemplate", ["disp", "app", "template"]],
	["checkWithNetvm", ["disp", "inner", "outer"]],
	["checkWithAdminvm", ["disp", "dom0"]],
	["checkWithTemplateAndAdminvm", ["disp", "app", "template", "dom0"]],
] as const) {
	test(`${method} looks at ${order.join(", ")}, and nowhere else`, (t) => {
		const at: { [name: string]: string } = { ...EVERYWHERE };
		for (const name of order) {
			t.is(chain(at).features[method]("f"), at[name] as string);
			delete at[name];
		}
		t.like(
			t.throws(() => chain(at).features[method]("f")),
			{ kind: "QubesFeatureNotFoundError", message: "Feature not set for domain disp: f" },
		);
		t.is(chain(at).features[method]("f", ""), "");
		t.is(chain(at).features[method]("f", "fallback"), "fallback");
	});
	test(`${method}: the empty text counts as found`, (t) => {
		t.is(chain({ ...EVERYWHERE, disp: "" }).features[method]("f", "fallback"), "");
	});
}

test("dom0 looks at itself once, and a system without dom0 has no last resort", (t) => {
	const dom0 = new Subject("dom0");
	dom0.features.set("f", "1");
	t.is(dom0.features.checkWithAdminvm("f"), "1");
	t.is(dom0.features.checkWithAdminvm("g", "x"), "x");
	t.like(
		t.throws(() => new Subject("lonely").features.checkWithAdminvm("f", "x")),
		{ kind: "QubesVMNotFoundError" },
	);
});
